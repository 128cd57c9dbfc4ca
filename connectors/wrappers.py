"""Lines that other tools wrapped when they exported them: `{"preview": …, "result": {"_raw": "…"}}` of Splunk."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from detectors.contracts import Batch

SPLUNK: Final = '{"preview":'
RAW: Final = "$.result._raw"


def unwrapped(lines: pl.Series) -> pl.Series:
    """Return the lines that were wrapped, and all others as they are."""
    rows = lines.str.starts_with(SPLUNK).fill_null(value=False).arg_true()
    if rows.is_empty():
        return lines
    inner = lines.gather(rows).str.json_path_match(RAW)
    found = inner.is_not_null()
    return lines.clone().scatter(rows.filter(found), inner.filter(found))


def unwrap(batch: Batch) -> Batch:
    """Do that with the records of a batch."""
    lines = batch.records["event.original"]
    inner = unwrapped(lines)
    return batch if inner is lines else replace(batch, records=batch.records.with_columns(inner), text=None)
