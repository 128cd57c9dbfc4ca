"""`soc report`: the weekly or monthly report of an organisation or of the province, as HTML that prints well."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.commands.options import add_config, moment, read_config
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--period", choices=("week", "month"), default="week", help="default: week")
    parser.add_argument("--day", type=moment, metavar="TIME", help="a day of it (default: today)")
    parser.add_argument("--organisation", metavar="CODE", help="of this organisation (default: the whole province)")
    parser.add_argument("--lang", choices=("vi", "en"), help="default: `language` of the settings")
    parser.add_argument("--out", type=Path, default=Path("report.html"), metavar="F.html", help="where to")
    parser.add_argument("--by", metavar="NAME", help="who makes it (default: the user)")


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from detectors.attack import attack  # noqa: PLC0415 - other verbs need none of it
    from flows import assembly  # noqa: PLC0415
    from flows.triage import duties, periodic, sheet, shift  # noqa: PLC0415

    settings, now = read_config(args), datetime.now(UTC)
    covered = {meta.id: frozenset(attack(meta.tags).techniques) for meta in assembly.load_rules(settings, []).metas()}
    with opened(settings) as store:
        made = periodic.report(
            store,
            duties.read(),
            covered,
            shift.Voice(args.lang or settings.language, ZoneInfo(settings.zone)),
            period=args.period,
            day=args.day or now,
            now=now,
            by=args.by or os.environ.get("USER") or f"uid {os.getuid()}",
            organisation=args.organisation,
        )
    sheet.write(made, args.out)
    print(args.out)
    return 0
