"""Findings as a table for people: the most severe first, one row per rule and place."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TextIO
from zoneinfo import ZoneInfo

import polars as pl
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from detectors.schema import LEVELS
from flows.terminal import plain
from flows.times import shown

HOME = ZoneInfo("Asia/Ho_Chi_Minh")

# 0 for the least severe level; -1 for a level of another name.
RANK = pl.col("soc.level").replace_strict(list(LEVELS), range(len(LEVELS)), default=-1, return_dtype=pl.Int8)

STYLES = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}

# Column, its least width, and its share of what a wide terminal leaves: at 80 columns a rule gets some 20 cells.
COLUMNS = (
    ("Level", 8, None),
    ("Rule", 16, 3),
    ("Where", 12, 2),
    ("Count", 6, None),
    ("First", 11, None),
    ("Last", 11, None),
)


def grouped(frame: pl.DataFrame) -> pl.DataFrame:
    """Sum findings up by level, rule and host (or group where no host is known), most severe first."""
    host = pl.col("host.name").list.join(", ", ignore_nulls=True)
    where = pl.when(host != "").then(host).otherwise(pl.col("soc.group"))
    first, last = pl.coalesce("event.start", "@timestamp"), pl.coalesce("event.end", "@timestamp")
    by = ["soc.level", "rule.id", "where"]
    withdrawn = (
        pl.when(pl.col("event.action") == "correlation-withdrawn").then(pl.lit("Withdrawn: ")).otherwise(pl.lit(""))
    )
    title = pl.concat_str(withdrawn, "rule.name")
    # what a finding was made of, and what came later, where a store knows
    known = pl.max_horizontal(name for name in ("soc.count", "soc.matches") if name in frame.columns)
    return (
        frame.with_columns(where.alias("where"), RANK.alias("rank"), title.alias("rule.name"))
        .group_by(by, maintain_order=True)
        .agg(
            pl.col("rank").first(),
            pl.col("rule.name").first(),
            pl.len().alias("findings"),
            known.sum().alias("matches"),
            first.min().alias("first"),
            last.max().alias("last"),
        )
        .sort("rank", "matches", "first", *by, descending=[True, True, False, False, False, False], nulls_last=True)
    )


def findings_table(frame: pl.DataFrame, *, rows: int = 20, zone: tzinfo = HOME, ruled: bool = True) -> RenderableType:
    """Return a table of at most `rows` rows, what it leaves out, and one line per level."""
    if frame.is_empty():
        return Text("No findings.")
    groups = grouped(frame)
    table = Table(box=box.SIMPLE_HEAD if ruled else None, padding=(0, 1, 0, 0), pad_edge=False, expand=True)
    for head, width, ratio in COLUMNS:
        table.add_column(
            head, no_wrap=True, min_width=width, ratio=ratio, justify="right" if head == "Count" else "left"
        )
    for group in _in_calendar(groups.head(rows)).iter_rows(named=True):
        level = group["soc.level"] or "unknown"
        table.add_row(
            Text(_level(level), STYLES.get(level, "")),
            Text(plain(group["rule.name"] or group["rule.id"] or "", 120)),
            Text(plain(group["where"] or "", 80)),
            f"{group['matches']:,}",
            shown(group["first"], zone, "%d/%m %H:%M"),
            shown(group["last"], zone, "%d/%m %H:%M"),
        )
    more = [Text(f"and {groups.height - rows:,} more rows")] if groups.height > rows else []
    return Group(table, *more, Text(), *_summary(groups))


def print_findings(
    frame: pl.DataFrame, file: TextIO | None = None, *, rows: int = 20, zone: tzinfo = HOME, width: int | None = None
) -> None:
    """Print the table: colours and rules on a terminal, bare aligned text elsewhere."""
    console = Console(file=file or sys.stdout, width=width, highlight=False, emoji=False, markup=False)
    console.print(findings_table(frame, rows=rows, zone=zone, ruled=console.is_terminal))


def print_frame(frame: pl.DataFrame, *, rows: int = 20) -> None:
    """Print any frame as a table, its texts without controls, and say how many rows are left out."""
    console = Console(highlight=False, emoji=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, padding=(0, 1, 0, 0), pad_edge=False)
    for name, kind in frame.schema.items():
        table.add_column(Text(plain(name, 80)), overflow="fold", justify="right" if kind.is_numeric() else "left")
    for row in frame.head(rows).iter_rows():
        table.add_row(*(Text("-" if cell is None else plain(str(cell), 200)) for cell in row))
    console.print(table)
    if frame.height > rows:
        console.print(f"and {frame.height - rows:,} more rows")


def _in_calendar(groups: pl.DataFrame) -> pl.DataFrame:
    """Blank the times that Python's datetime can't hold; a log may claim any year."""
    times = pl.col("first", "last")
    return groups.with_columns(pl.when(times.dt.year().is_between(1, 9999)).then(times))


def _level(level: str) -> str:
    return "info" if level == "informational" else plain(level, 8)


def _summary(groups: pl.DataFrame) -> list[Text]:
    levels = groups.group_by("soc.level", maintain_order=True).agg(
        pl.col("findings").sum(), pl.col("rule.id").n_unique().alias("rules"), pl.col("matches").sum()
    )
    return [
        Text(
            f"{_level(level or 'unknown'):<8} {findings:>7,} {_plural('finding', findings)}"
            f" of {rules:,} {_plural('rule', rules)}, {matches:,} {_plural('match', matches)}",
            STYLES.get(level, ""),
        )
        for level, findings, rules, matches in levels.iter_rows()
    ]


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return noun + ("es" if noun.endswith("ch") else "s")
