"""What matches that make no finding add to risk: a signal means something beside others, and so may maintenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime

import polars as pl

from connectors.store import Store
from detectors.attack import attack
from detectors.identity import digest
from detectors.meta import Meta
from detectors.risk import EVIDENCE
from detectors.telling import of_group
from flows import assembly
from flows.settings import Settings
from flows.triage.evidence import KINDS


def muted(settings: Settings, store: Store, since: datetime, until: datetime) -> pl.DataFrame:
    """Return MUTED of the store, in full mode of Elasticsearch."""
    if not settings.elastic.url:
        return store.muted(since, until)
    from connectors.elastic import muted as elastic  # noqa: PLC0415 - embedded mode needs no client
    from connectors.elastic.client import connect  # noqa: PLC0415
    from flows.triage.returning import reader  # noqa: PLC0415

    with closing(connect(reader(settings))) as client:
        return elastic.muted(client, since, until)


def evidence(settings: Settings, found: pl.DataFrame, trusted: Mapping[str, float]) -> pl.DataFrame:
    """Return EVIDENCE of MUTED: those of a day count as one finding of their rule, as it is now.

    What they name is told by their group; of a rule that isn't there any more nothing is known.
    """
    if found.is_empty():
        return EVIDENCE.to_frame()
    metas = {meta.id: meta for meta in assembly.load_rules(settings).metas()}
    rows = [row for each in found.iter_rows() for row in _rows(*each, metas=metas, trusted=trusted)]
    return pl.DataFrame(rows, schema=EVIDENCE, orient="row")


def _rows(
    rule: str, group: str, time: datetime, *, metas: Mapping[str, Meta], trusted: Mapping[str, float]
) -> Iterator[tuple[object, ...]]:
    meta = metas.get(rule)
    if meta is None:
        return
    name, tactics = digest(("muted", rule, group, time.date().isoformat())), list(attack(meta.tags).tactics)
    for kind, field in KINDS.items():
        for value in of_group(group, field):
            trust = trusted.get(rule, 1.0)
            yield (name, kind, value, time, rule, meta.title, meta.level, tactics, trust, None, None, None)
