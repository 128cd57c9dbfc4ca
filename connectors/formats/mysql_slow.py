r"""Slow query log of MySQL, MariaDB and Percona Server; the lines of one query are joined.

    # Time: 2026-03-24T14:01:47.811234Z
    # User@Host: lan[lan] @ localhost [192.0.2.7]  Id:    14
    # Query_time: 2.475469  Lock_time: 0.000287 Rows_sent: 10  Rows_examined: 3145718
    SET timestamp=1553436105;
    SELECT last_name FROM employees;

Own columns: the keys below, and `timestamp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import finished
from connectors.formats.frames import ERROR, scatter
from connectors.patterns.fit import fit, named

FIRST: Final = r"^# (?:User@Host|Time): "
PARTS: Final = {
    "user": r"(?m)^# User@Host: ([^\[\s]*)",
    "account": r"(?m)^# User@Host: [^\[]*\[([^\]]*)\]",
    "host": r"(?m)^# User@Host: [^@]*@ (\S*) +\[",
    "ip": r"(?m)^# User@Host: [^@]*@ \S* *\[([^\]]*)\]",
    "thread": r"(?m)(?:\bId: +|^# Thread_id: )(\d+)",
    "schema": r"(?m)^#.*Schema: (\S+)",
    "query_time": r"(?m)^# Query_time: ([\d.]+)",
    "lock_time": r"Lock_time: ([\d.]+)",
    "rows_sent": r"Rows_sent: (\d+)",
    "rows_examined": r"Rows_examined: (\d+)",
    "bytes_sent": r"Bytes_sent: (\d+)",
    "epoch": r"(?im)^SET timestamp=(\d+)",
    "said": r"(?m)^# Time: (\S.*?)\s*$",  # when it ended; 260315  9:46:45 in old servers
    "query": r"(?is)\n(?:SET timestamp=\d+;\n|use [^\n]+;\n|#[^\n]*\n)+([^#\n].*?)\s*$",
}

USUAL: Final = (  # nearly every record, in one pass
    r"(?s)^(?:# Time: (?P<said>[^\s][^\n]*[^\s])\n)?"
    r"# User@Host: (?P<user>[^\[\s@]*)\[(?P<account>[^\]@]*)\] @ (?P<host>[^\s\[]*) +\[(?P<ip>[^\]]*)\][^\n]*\n"
    r"(?:# [A-PR-Z][^\n]*\n)*# Query_time: (?P<query_time>[\d.]+) +Lock_time: (?P<lock_time>[\d.]+) +"
    r"Rows_sent: (?P<rows_sent>\d+) +Rows_examined: (?P<rows_examined>\d+)[^\n]*\n(?:# [^\n]*\n)*(?:use [^\n]+;\n)?"
    r"SET timestamp=(?P<epoch>\d+);\n(?P<query>[^#\s].*?)\s*$"
)


@dataclass(frozen=True, slots=True)
class MysqlSlow:
    """Reads slow.log."""

    name: ClassVar[str] = "mysql_slow"
    marks: ClassVar[tuple[str, ...]] = ("# User@Host", "# Time")
    structured: ClassVar[bool] = False

    def record(self, lines: pl.Series) -> pl.Series:
        """Number the record that each line belongs to: `# Time` begins one, `# User@Host` unless that did."""
        first = lines.str.contains(FIRST).fill_null(value=False)
        second = first & lines.str.starts_with("# User@Host").fill_null(value=False)
        second = second & lines.shift(1).str.starts_with("# Time").fill_null(value=False)
        banner = lines.str.contains(r"^(?:\S+, Version: .* started with:|Tcp port: |Time\s+Id )").fill_null(value=False)
        number = ((first & ~second) | banner).cast(pl.UInt32).cum_sum()
        return pl.select(pl.when((number > 0) & ~banner).then(number)).to_series()

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        asked = PARTS.keys() if wanted is None else {*wanted, "query_time", "epoch", "said"}
        frame = _read(original, [name for name in PARTS if name in asked])
        if wanted is None or "timestamp" in wanted:
            frame = frame.with_columns(timestamp=pl.coalesce("epoch", clocks.whole_year(pl.col("said"))))
        result = finished(frame, wanted, "query_time", "not a record of a slow query log")
        stop = pl.when(original.str.starts_with("# Time").fill_null(value=False) & result[ERROR].is_not_null())
        return result.with_columns(stop.then(pl.lit("a time without a query")).otherwise(ERROR).alias(ERROR))


def _read(original: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """Return these parts of records."""
    if not set(names) <= set(named((USUAL,))):
        return _each(original, names)
    frame = fit(original, (USUAL,), names).columns
    left = frame["query_time"].is_null().arg_true()
    return scatter(frame, left, _each(original.gather(left), names)).select(names) if left.len() else frame


def _each(original: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    line = original.alias("line").to_frame()
    return line.select(pl.col("line").str.extract(PARTS[name]).alias(name) for name in names)
