"""SQL over the archive: each source is a table of its events, read by its definition as it is today."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from connectors.archive import Archive
from connectors.parser import DefinedParser
from detectors.errors import UsageError
from detectors.schema import ECS
from flows.assembly import Parts
from flows.joining import joined

QUESTION = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
WORD = re.compile(r"[^\s\"'(),;=<>!+/%|]+")


def ask(
    question: str,
    parts: Parts,
    archive: Archive,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    allowed: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Answer a SELECT over sources of the archive, or those allowed, in the SQL of Polars.

    Only columns that it names are read.

    Events wait on disk meanwhile, so a long period needs room there and little memory.

    Raises:
        UsageError: the question names no source of the archive, one that isn't allowed, or can't be answered.
    """
    words = set(WORD.findall(question))
    sources = [source for source in archive.sources() if source in words and source in parts.definitions]
    if beside := [source for source in sources if allowed is not None and source not in allowed]:
        raise UsageError(
            f"the question asks {', '.join(beside)}, and --source allows {', '.join(allowed or ())} only",
            fix="leave --source out, or name the same sources: in SQL those after FROM and JOIN are asked",
        )
    if not sources:
        raise UsageError("the question names no source", fix=f"the archive holds: {', '.join(archive.sources())}")
    columns = None if any("*" in word for word in words) else frozenset(words)
    with TemporaryDirectory(prefix="soc-") as folder:
        tables = _Tables(parts, archive, columns, (since, until), Path(folder))
        try:
            context = pl.SQLContext({source: tables.of(source) for source in sources})
            return context.execute(question).collect(engine="streaming")
        except pl.exceptions.PolarsError as fault:
            told = str(fault).partition("\n")[0].partition("; valid columns")[0]
            fix = 'names with a dot stand in double quotes, "user.name"; `SELECT * FROM …` shows what a source has'
            raise UsageError(f"the question can't be answered: {told}", fix=fix) from fault


@dataclass(frozen=True, slots=True)
class _Tables:
    parts: Parts
    archive: Archive
    columns: frozenset[str] | None
    period: tuple[datetime | None, datetime | None]
    folder: Path

    def of(self, source: str) -> pl.LazyFrame:
        """Return the events of a source of the period."""
        frames = [pl.scan_parquet(file) for file in self._written(source)]
        if not frames:  # a period without events answers as one with some
            return pl.LazyFrame(schema={**dict.fromkeys(self.columns or (), pl.String), **ECS})
        return pl.concat(frames, how="diagonal_relaxed")

    def _written(self, source: str) -> Iterator[Path]:
        parser = DefinedParser(self.parts.definitions[source], enrichment=self.parts.enrichment)
        for number, batch in enumerate(joined(self.archive.read(source, *self.period))):
            file = self.folder / f"{number}-{source}.parquet"
            _known(parser.parse(batch, self.columns).frame()).write_parquet(file, compression="lz4")
            yield file


def _known(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out columns that no event has, so that a mistyped name is told; those of ECS may be empty."""
    return frame.select(column for column in frame if column.name in ECS or column.null_count() < frame.height)
