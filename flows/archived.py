"""What the archive holds for rules to be asked of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from connectors.archive import Archive, Report
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from flows.assembly import Parts
from flows.joining import joined


def archived(
    parts: Parts,
    archive: Archive,
    sources: Iterable[str],
    since: datetime | None,
    until: datetime | None,
    *,
    report: Report | None = None,
) -> Iterator[tuple[Batch, DefinedParser]]:
    """Yield the batches of those sources on which rules run, each with the parser of its source."""
    for source in sources:
        definition = parts.definitions.get(source)
        if definition is not None and parts.engine.covered(definition.dialect):
            parser = DefinedParser(definition, enrichment=parts.enrichment)
            for batch in joined(archive.read(source, since, until, report)):
                yield batch, parser
