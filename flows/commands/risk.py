"""`soc risk`: which hosts, accounts, addresses, systems and organisations are most at risk, and through what."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from detectors.errors import UsageError
from detectors.schema import RISK
from flows.commands.options import add_config, moment, read_config
from flows.documents import write_lines
from flows.terminal import plain
from flows.triage.opening import opened

KINDS = ("host", "user", "address", "system", "organisation")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--kind", choices=KINDS, help="only these")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="the highest so many (default: 20)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write all of them, one JSON document a line")
    parser.add_argument(
        "--prefect", action="store_true", help="as the Prefect flow `reckon`: verdicts, risk, incidents"
    )


def run(args: argparse.Namespace) -> int:
    """Reckon, keep and print."""
    if args.prefect:
        if args.kind or args.at or args.out:
            raise UsageError("--prefect takes --config only", fix="leave it out to print risks")
        from flows.triage import scheduled  # noqa: PLC0415 - Prefect takes seconds to import

        scheduled.reckon(args.config)
        return 0
    from flows.triage import reckoning  # noqa: PLC0415 - other verbs need none of it
    from flows.triage.story import rule_titles  # noqa: PLC0415

    settings = read_config(args)
    with opened(settings) as store:
        found = reckoning.risk(settings, store, args.at or datetime.now(UTC))
        titles = rule_titles(store, found["rules"].explode(empty_as_null=True).drop_nulls(), settings.language)
    if args.out:
        write_lines(args.out, found.select(RISK.names()).iter_rows(named=True))
    if found.is_empty():
        print(f"no findings of the last {reckoning.DAYS} days", file=sys.stderr)
    for row in found.iter_rows(named=True):
        if args.kind in {None, row["kind"]} and args.top > 0:
            args.top -= 1
            rules = [titles[rule] for rule in row["rules"]]
            through = "; ".join(rules if row["kind"] in {"host", "user", "address"} else row["contributors"])
            print(plain(f"{row['risk']:5.1f} {row['level']:<13} {row['kind']:<12} {row['name']}: {through}", 200))
    return 0
