"""`soc findings`: what stands in the embedded store, and what people say of it."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import orjson
import polars as pl

from connectors.nested import nest
from connectors.store import Status, Store, Triage
from connectors.store_schema import REASONS
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.commands.options import add_config, kept_store, moment, read_config
from flows.table import print_findings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|status", required=True)
    listing = verbs.add_parser("list", help="the newest findings as a table")
    add_config(listing)
    listing.add_argument("--level", choices=LEVELS, help="at least this level")
    listing.add_argument("--rule", metavar="RULE", help="id or title of a rule")
    listing.add_argument("--user", metavar="NAME", help="that name this user")
    listing.add_argument("--host", metavar="NAME", help="that name this host")
    listing.add_argument("--ip", metavar="ADDRESS", help="that name this address")
    listing.add_argument("--since", type=moment, metavar="TIME", help="from this time on, ISO 8601")
    listing.add_argument("--until", type=moment, metavar="TIME", help="before this time")
    listing.add_argument("--limit", type=int, default=1000, metavar="N", help="at most this many (default: 1000)")
    listing.add_argument(
        "--suppressed", action="store_true", help="what exceptions took instead, by exception and rule"
    )
    listing.add_argument("--ids", action="store_true", help="one line per finding, with its id")
    showing = verbs.add_parser("show", help="one finding whole, as JSON")
    add_config(showing)
    showing.add_argument("id", metavar="ID", help="the finding's id")
    judging = verbs.add_parser("status", help="say how far a finding is, and why it is closed; nothing said is lost")
    add_config(judging)
    judging.add_argument("id", metavar="ID", help="the finding's id")
    judging.add_argument("status", choices=get_args(Status), help="how far it is")
    judging.add_argument("--reason", choices=REASONS, help="why it is closed")
    judging.add_argument("--note", metavar="TEXT", help="anything else to know")
    judging.add_argument("--by", metavar="NAME", help="who says so (default: the user)")


def run(args: argparse.Namespace) -> int:
    """List findings, show one, or say something of one."""
    settings = read_config(args)
    store = kept_store(settings)
    try:
        if args.verb == "show":
            return _show(store, args.id)
        if args.verb == "status":
            return _decide(store, args)
        if args.suppressed:
            return _suppressed(store, args, ZoneInfo(settings.zone))
        found = store.select(
            level=args.level,
            rule=args.rule,
            user=args.user,
            host=args.host,
            ip=args.ip,
            since=args.since,
            until=args.until,
            limit=args.limit,
        )
    finally:
        store.close()
    if args.ids:
        for name, level, message in found.select("event.id", "soc.level", "message").iter_rows():
            print(plain(f"{name}  {level:<13} {message}"))
    else:
        print_findings(found, zone=ZoneInfo(settings.zone), rows=args.limit)
    return 0


def _decide(store: Store, args: argparse.Namespace) -> int:
    if args.status == "closed" and args.reason is None:
        raise UsageError("a finding is closed for a reason", fix=f"add --reason, one of {', '.join(REASONS)}")
    actor = args.by or os.environ.get("USER") or f"uid {os.getuid()}"  # in a container a user may have no name
    store.decide(Triage(args.id, datetime.now(UTC), actor, args.status, note=args.note, reason=args.reason))
    return 0


def _suppressed(store: Store, args: argparse.Namespace, zone: ZoneInfo) -> int:
    taken = store.taken(since=args.since, until=args.until)
    rows = taken.filter(pl.col("soc.level").is_in(LEVELS[LEVELS.index(args.level) :])) if args.level else taken
    for name, title, _, rule, level, matches, first, last in rows.head(args.limit).iter_rows():
        times = " to ".join(time.astimezone(zone).strftime("%d/%m/%Y %H:%M") for time in (first, last) if time)
        print(plain(f"{matches:>9,} {level:<13} {rule}: by {title} ({name}), {times}"))
    print(f"{store.counts()['suppressed']:,} matches were taken by exceptions so far", file=sys.stderr)
    return 0


def _show(store: Store, name: str) -> int:
    document = store.finding(name)
    if document is None:
        raise UsageError(f"there is no finding {name!r}", fix="list them: soc findings list --ids")
    said = [asdict(each) for each in store.history(name)]
    later = [f"{each['event.id']}: {each['message']}" for each in store.successors(name)]
    whole = orjson.dumps(nest({**document, "soc.triage": said, "soc.successors": later}), default=str)
    text = orjson.dumps(orjson.loads(whole), option=orjson.OPT_INDENT_2).decode()  # evidence and decisions too
    print("\n".join(plain(line) for line in text.split("\n")))
    return 0
