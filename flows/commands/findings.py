"""`soc findings`: what stands in the embedded store."""

from __future__ import annotations

import argparse
from zoneinfo import ZoneInfo

import orjson

from connectors.nested import nest
from connectors.store import Store
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.commands.options import add_config, kept_store, moment, read_config
from flows.table import print_findings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show", required=True)
    listing = verbs.add_parser("list", help="the newest findings as a table")
    add_config(listing)
    listing.add_argument("--level", choices=LEVELS, help="at least this level")
    listing.add_argument("--rule", metavar="RULE", help="id or title of a rule")
    listing.add_argument("--since", type=moment, metavar="TIME", help="from this time on, ISO 8601")
    listing.add_argument("--until", type=moment, metavar="TIME", help="before this time")
    listing.add_argument("--limit", type=int, default=1000, metavar="N", help="at most this many (default: 1000)")
    listing.add_argument("--ids", action="store_true", help="one line per finding, with its id")
    showing = verbs.add_parser("show", help="one finding whole, as JSON")
    add_config(showing)
    showing.add_argument("id", metavar="ID", help="the finding's id")


def run(args: argparse.Namespace) -> int:
    """List findings or show one."""
    settings = read_config(args)
    store = kept_store(settings)
    try:
        if args.verb == "show":
            return _show(store, args.id)
        found = store.select(level=args.level, rule=args.rule, since=args.since, until=args.until, limit=args.limit)
    finally:
        store.close()
    if args.ids:
        for name, level, message in found.select("event.id", "soc.level", "message").iter_rows():
            print(plain(f"{name}  {level:<13} {message}"))
    else:
        print_findings(found, zone=ZoneInfo(settings.zone), rows=args.limit)
    return 0


def _show(store: Store, name: str) -> int:
    document = store.finding(name)
    if document is None:
        raise UsageError(f"there is no finding {name!r}", fix="list them: soc findings list --ids")
    text = orjson.dumps(nest(document), option=orjson.OPT_INDENT_2, default=str).decode()
    print("\n".join(plain(line) for line in text.split("\n")))
    return 0
