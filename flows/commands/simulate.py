"""`soc simulate`: logs of a province, with labelled attacks."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from connectors.simulator import province
from connectors.simulator.write import write
from detectors.errors import UsageError

START = date(2026, 3, 9)  # a Monday without holidays near


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="equal seeds give equal bytes (default: 1)")
    parser.add_argument("--days", type=int, default=3, metavar="N", help="days to simulate (default: 3)")
    parser.add_argument("--start", default=START.isoformat(), metavar="DATE", help=f"first day (default: {START})")
    parser.add_argument(
        "--province", type=Path, metavar="FILE", help="the province (default: the one that comes along)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the logs and the truth about the attacks."""
    try:
        start = date.fromisoformat(args.start)
    except ValueError:
        raise UsageError(f"--start {args.start!r} is not a date", fix="write YYYY-MM-DD") from None
    spec = province.load(args.province) if args.province else None
    done = write(args.out, args.seed, start, args.days, spec=spec)
    for source, lines in done.lines.items():
        print(f"{source:<14} {lines:>9,} lines", file=sys.stderr)
    print(f"{len(done.attacks)} attacks, told in {done.truth}", file=sys.stderr)
    return 0
