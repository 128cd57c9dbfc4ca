"""`soc score`: behaviour out of the ordinary in closed hours and days of the archive."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.nested import nest
from detectors.errors import UsageError
from flows.commands.options import add_config, moment, read_config
from flows.documents import write_lines
from flows.table import print_findings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("sets", nargs="*", metavar="SET", help="feature sets (default: all that have a model in use)")
    add_config(parser)
    parser.add_argument("--since", type=moment, metavar="TIME", help="from this time on (default: where it ended last)")
    parser.add_argument("--until", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--dry", action="store_true", help="store nothing")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write what was found, one JSON document a line")
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows of the table (default: 20)")
    parser.add_argument("--prefect", action="store_true", help="as the Prefect flow `score`, made to run every hour")


def run(args: argparse.Namespace) -> int:
    """Score, store and print what was found."""
    if args.prefect:
        if args.since or args.until or args.dry or args.out:
            raise UsageError("--prefect takes sets only", fix="leave it out to score another period")
        from flows.anomaly import scheduled  # noqa: PLC0415 - Prefect takes seconds to import

        scheduled.score(args.config, args.sets)
        return 0
    from flows.anomaly import storing, working  # noqa: PLC0415 - what it needs takes long to import

    settings = read_config(args)
    where = working.room(settings, args.until or datetime.now(UTC), _say)
    with storing.sink_of(settings, dry=args.dry) as sink:
        found, anomalies, failed = working.score_all(where, args.sets, args.since, sink)
    if args.out:
        write_lines(args.out, (nest(row) for row in found.findings.iter_rows(named=True)))
    print_findings(found.findings, rows=args.rows, zone=ZoneInfo(settings.zone))
    for one in anomalies[: args.rows]:
        print(plain(f"{one.entity}: {one.text.get(settings.language)}", 2_000))
    return 3 if failed else 0


def _say(text: str) -> None:
    print(plain(text), file=sys.stderr)
