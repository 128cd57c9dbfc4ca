"""What a scan found, to files: page by page, for a flood of findings is larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from connectors.nested import nest
from connectors.store import Store
from detectors.schema import FINDING
from flows.documents import write_lines

TOGETHER: Final = 50  # findings whose matches are in memory at once
# What tables and pictures tell of a finding.
TOLD: Final = (
    "@timestamp",
    "event.id",
    "event.action",
    "event.start",
    "event.end",
    "rule.id",
    "rule.name",
    "host.name",
    "soc.level",
    "soc.group",
    "soc.count",
    "soc.attack",
    "soc.title.vi",
)


def findings(store: Store, out: Path | None) -> pl.DataFrame:
    """Write all findings, one JSON document a line; return TOLD of each, with `soc.matches`."""
    told = [FINDING.to_frame().select(*TOLD, pl.lit(0).alias("soc.matches")).clear()]

    def pages() -> Iterator[pl.DataFrame]:
        for page in store.pages():
            told.append(page.select(told[0].columns))
            yield page

    if out is None:
        for _ in pages():
            pass
    else:
        write_lines(out, (nest(row) for page in pages() for row in page.iter_rows(named=True)))
    return pl.concat(told, how="vertical_relaxed")


def matches(store: Store, found: pl.DataFrame, out: Path) -> None:
    """Write the matches of findings, one JSON document a line."""
    pages = (store.matches_of(*some["event.id"].to_list()) for some in found.iter_slices(TOGETHER))
    write_lines(out, (nest(row) for page in pages for row in page.iter_rows(named=True)))
