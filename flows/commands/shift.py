"""`soc shift`: what fits into the next shift, and the sheet that this one leaves to it."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.commands.options import add_config, moment, read_config
from flows.terminal import plain
from flows.times import shown
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="plan|handover", required=True)
    planning = verbs.add_parser("plan", help="open incidents and findings ranked, as many as fit; what is deferred")
    handing = verbs.add_parser("handover", help="the sheet (HTML): deadlines, what fits, what was decided")
    for each in (planning, handing):
        add_config(each)
        each.add_argument("--minutes", type=int, default=480, metavar="N", help="of work in a shift (default: 480)")
        each.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    planning.add_argument("--rows", type=int, default=50, metavar="N", help="to show of each part (default: 50)")
    handing.add_argument("--since", type=moment, metavar="TIME", help="when this shift began (default: 8 hours ago)")
    handing.add_argument("--out", type=Path, default=Path("handover.html"), metavar="FILE", help="F.html, or F.pdf")
    handing.add_argument("--lang", choices=("vi", "en"), help="default: `language` of the settings")
    handing.add_argument("--by", metavar="NAME", help="who hands over (default: the user)")


def run(args: argparse.Namespace) -> int:
    """Plan, or write the sheet."""
    from flows.triage import duties, sheet, shift  # noqa: PLC0415 - other verbs need none of it

    settings, now = read_config(args), args.at or datetime.now(UTC)
    with opened(settings) as store:
        if args.verb == "plan":
            made = shift.planned(store, duties.read(settings.triage.duties), args.minutes, now, settings.language)
            for title, works in (("fits", made.fits), ("deferred", made.deferred)):
                print(f"{title}: {len(works):,}")
                for each in works[: args.rows]:
                    due = f", due {shown(each.until, ZoneInfo(settings.zone), '%d/%m %H:%M')}" if each.until else ""
                    name = each.title if each.kind == "findings" else f"incident: {each.title}"
                    print(plain(f"  {each.minutes:>4} min {each.level:<13} {name} x{each.count} [{each.id}]{due}", 160))
                if len(works) > args.rows:
                    print(f"  … {len(works) - args.rows:,} more; see them with --rows")
            if made.over:
                print(f"what is critical or due soon exceeds the shift by {made.over} minutes", file=sys.stderr)
            return 0
        made_sheet = shift.handover(
            store,
            duties.read(settings.triage.duties),
            shift.Voice(args.lang or settings.language, ZoneInfo(settings.zone)),
            minutes=args.minutes,
            since=args.since or now - timedelta(hours=8),
            now=now,
            by=args.by or os.environ.get("USER") or f"uid {os.getuid()}",
        )
        sheet.write(made_sheet, args.out)
        print(args.out)
    return 0
