"""`soc demo`: the main job on a simulated province."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import polars as pl

from connectors.simulator.simulate import chosen
from flows.commands.options import add_config, read_config
from flows.commands.simulate import add_played, scenarios, speed
from flows.table import print_findings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path(".soc/demo"), metavar="DIR", help="folder (default: .soc/demo)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, another province (default: 1)")
    parser.add_argument("--days", type=int, default=3, metavar="N", help="days to simulate (default: 3)")
    parser.add_argument("--lang", choices=("en", "vi"), default="en", help="language of the report (default: en)")
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows of the table (default: 20)")

    parser.add_argument(
        "--kafka", action="store_true", help="through the Kafka and Elasticsearch of the settings, instead of embedded"
    )
    add_config(parser)
    add_played(parser)


def run(args: argparse.Namespace) -> int:
    """Run the flow, then print what it found, what it missed, and where the report is."""
    start = time.monotonic()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    chosen(scenarios(args), args.days)  # what is wrong is told before anything is started
    servers = read_config(args) if args.kafka else None
    if servers is not None:
        from flows import demoservers  # noqa: PLC0415 - the clients of servers that few demos need

        demoservers.ready(servers)
    print("starting Prefect (a temporary server of its own, about 15 s) …", file=sys.stderr)
    from flows.demo import Wanted, demo  # noqa: PLC0415 - Prefect reads its environment when it is imported

    shown = demo(args.out, Wanted(args.seed, args.days, scenarios(args), speed(args), servers, args.lang))
    print_findings(shown.findings, rows=args.rows)
    print()
    for row in shown.score.attacks.iter_rows(named=True):
        print(plain(_attack(row, shown.findings)))
    judged = shown.score
    print()
    print(
        f"{judged.found} of {judged.attacks.height} attacks found; {judged.false_findings} findings without an attack"
    )
    for rule, level, findings, matches in judged.false.iter_rows():
        print(plain(f"  {findings:>3} {level:<13} {_title(shown.findings, rule)} ({matches} matches)"))
    _print_sources(shown.lines, shown.findings)
    events = shown.statistics.events
    print(f"{events:,} events, {shown.findings.height:,} findings in {time.monotonic() - start:.0f} s")
    print(f"report: {shown.report}")
    return 0


def _print_sources(lines: dict[str, int], findings: pl.DataFrame) -> None:
    """Print what each source wrote, and in how many findings it has a part."""
    found = Counter(
        name
        for origins, source in findings.select("soc.origin", "soc.source").iter_rows()
        for name in {Path(each).parent.name for each in origins or ()} & lines.keys() or source.split(", ")
    )
    print(f"\n{'source':<20} {'events':>9} {'findings':>9}")
    for source in [*lines, *sorted(found.keys() - lines.keys())]:  # a log may be taken for a kin of its source
        print(f"{source:<20} {lines.get(source, 0):>9,} {found.get(source, 0):>9,}")
    print()


def _attack(row: dict[str, object], findings: pl.DataFrame) -> str:
    rules = row["rules"]
    by = ", ".join(_title(findings, rule) for rule in rules) if isinstance(rules, list) else ""
    if not row["found"]:
        return f"missed  {row['name']}"
    delay = row["delay"]
    minutes = f" after {delay.total_seconds() / 60:.0f} min" if isinstance(delay, timedelta) else ""
    return f"found   {row['name']}{minutes}: {by}"


def _title(findings: pl.DataFrame, rule: str) -> str:
    titles = findings.filter(pl.col("rule.id") == rule)["rule.name"]
    return str(titles[0]) if titles.len() else rule
