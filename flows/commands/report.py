"""`soc report`: the weekly or monthly report of an organisation or of the province, as HTML or PDF."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from flows.commands.options import add_config, moment, read_config
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--period", choices=("week", "month"), default="week", help="default: week")
    parser.add_argument("--day", type=moment, metavar="TIME", help="a day of it (default: today)")
    parser.add_argument("--organisation", metavar="CODE", help="of this organisation (default: the whole province)")
    parser.add_argument("--lang", choices=("vi", "en"), help="default: `language` of the settings")
    parser.add_argument("--out", type=Path, default=Path("report.html"), metavar="FILE", help="F.html, or F.pdf")
    parser.add_argument("--by", metavar="NAME", help="who makes it (default: the user)")


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from flows.triage import reporting, sheet  # noqa: PLC0415 - other verbs need none of it

    settings, now = read_config(args), datetime.now(UTC)
    with opened(settings) as store:
        made = reporting.made(
            settings,
            store,
            args.period,
            args.day or now,
            now=now,
            by=args.by or os.environ.get("USER") or f"uid {os.getuid()}",
            lang=args.lang,
            organisation=args.organisation,
        )
    sheet.write(made, args.out)
    print(args.out)
    return 0
