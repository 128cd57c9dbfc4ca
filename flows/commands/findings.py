"""`soc findings`: what was found, and what people say of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, get_args
from zoneinfo import ZoneInfo

import orjson
import polars as pl

from connectors.nested import nest
from connectors.store import Store, Triage
from connectors.store_schema import REASONS
from connectors.store_wanted import Status, Wanted
from detectors.errors import UnavailableError, UsageError
from detectors.schema import LEVELS
from flows.commands.options import add_config, moment, read_config
from flows.settings import Settings
from flows.table import print_findings
from flows.terminal import plain
from flows.times import shown
from flows.triage import exporting
from flows.triage.opening import opened

FORMATS = ("json", "ndjson", "csv")
MATCHES = 1_000  # of a finding that are shown
LINE = 400  # cells of a line


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|status|assign|note|export", required=True)
    listing = verbs.add_parser("list", help="the newest findings as a table")
    _add_wanted(listing)
    listing.add_argument("--limit", type=int, default=1000, metavar="N", help="at most this many (default: 1000)")
    listing.add_argument(
        "--suppressed", action="store_true", help="what exceptions took instead, by exception and rule"
    )
    listing.add_argument("--ids", action="store_true", help="one line per finding, with its id")
    showing = verbs.add_parser("show", help="one finding whole, as JSON, with all that was said of it")
    add_config(showing)
    showing.add_argument("id", metavar="ID", help="the finding's id")
    judging = _saying(verbs.add_parser("status", help="say how far a finding is, and why it is closed"))
    judging.add_argument("status", choices=get_args(Status), help="how far it is")
    judging.add_argument("--reason", choices=REASONS, help="why it is closed: Kibana's words, and true_positive")
    judging.add_argument("--note", metavar="TEXT", help="anything else to know")
    assigning = _saying(verbs.add_parser("assign", help="say who looks at a finding"))
    assigning.add_argument("owner", metavar="NAME", help='who; "" takes it from everybody')
    assigning.add_argument("--note", metavar="TEXT", help="anything else to know")
    noting = _saying(verbs.add_parser("note", help="write something down beside a finding"))
    noting.add_argument("note", metavar="TEXT", help="what to write down")
    exporting_ = verbs.add_parser("export", help="findings with all that was said of them, for other programs")
    _add_wanted(exporting_)
    exporting_.add_argument("--format", choices=FORMATS, help="default: by the name of --out, else json")
    exporting_.add_argument("--out", type=Path, metavar="FILE", help="where to (default: standard output)")


def _add_wanted(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--level", choices=LEVELS, help="at least this level")
    parser.add_argument("--rule", metavar="RULE", help="id or title of a rule")
    for kind, text in {"host": "host", "user": "account", "ip": "address"}.items():
        parser.add_argument(f"--{kind}", metavar="NAME", help=f"that name this {text}")
    parser.add_argument("--source", metavar="NAME", help="of this source of logs")
    parser.add_argument("--organisation", metavar="CODE", help="of this organisation")
    parser.add_argument("--status", choices=get_args(Status), help="that are so far")
    parser.add_argument("--owner", metavar="NAME", help='that NAME looks at; "": nobody')
    parser.add_argument("--reason", choices=REASONS, help="closed for this reason")
    parser.add_argument("--text", metavar="TEXT", help="with this anywhere in title, group or id")
    parser.add_argument("--since", type=moment, metavar="TIME", help="from this time on, ISO 8601")
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time")


def _saying(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add_config(parser)
    parser.add_argument("id", metavar="ID", help="the finding's id")
    parser.add_argument("--by", metavar="NAME", help="who says so (default: the user)")
    return parser


def run(args: argparse.Namespace) -> int:
    """List findings, show one, say something of one, or export them."""
    settings = read_config(args)
    verbs: dict[str, Callable[[Store, argparse.Namespace, Settings], int]] = {
        "list": _list,
        "show": _show,
        "export": _export,
    }
    with opened(settings) as store:
        if args.verb == "show" and settings.elastic.url:
            from flows.triage.returning import matches  # noqa: PLC0415 - embedded mode needs no client

            matches(settings, store, args.id)
        return verbs.get(args.verb, _decide)(store, args, settings)


def _wanted(args: argparse.Namespace) -> Wanted:
    return Wanted(**{name: getattr(args, name) for name in Wanted.__dataclass_fields__})


def _list(store: Store, args: argparse.Namespace, settings: Settings) -> int:
    from flows.report.words import spoken  # noqa: PLC0415 - other verbs need none of it

    zone = ZoneInfo(settings.zone)
    if args.suppressed:
        return _suppressed(store, args, zone)
    found = spoken(store.select(_wanted(args), limit=args.limit), settings.language)
    if args.ids:
        for name, level, status, message in found.select(
            "event.id", "soc.level", "soc.triage.status", "message"
        ).iter_rows():
            print(plain(f"{name}  {level or 'unknown':<13} {status:<11} {message}", LINE))
    else:
        print_findings(found, zone=zone, rows=args.limit)
    return 0


def _decide(store: Store, args: argparse.Namespace, _: Settings) -> int:
    """Append what is said: status, assign, note."""
    status, reason = getattr(args, "status", None), getattr(args, "reason", None)
    if status == "closed" and reason is None:
        raise UsageError("a finding is closed for a reason", fix=f"add --reason, one of {', '.join(REASONS)}")
    if status != "closed" and reason is not None:
        raise UsageError("only what is closed has a reason", fix="leave --reason out, or say closed")
    actor = args.by or os.environ.get("USER") or f"uid {os.getuid()}"  # in a container a user may have no name
    owner = getattr(args, "owner", None)
    store.decide(Triage(args.id, datetime.now(UTC), actor, status, owner, args.note, reason))
    return 0


def _suppressed(store: Store, args: argparse.Namespace, zone: ZoneInfo) -> int:
    taken = store.taken(since=args.since, until=args.until)
    rows = taken.filter(pl.col("soc.level").is_in(LEVELS[LEVELS.index(args.level) :])) if args.level else taken
    for name, title, _, rule, level, matches, first, last in rows.head(args.limit).iter_rows():
        times = " to ".join(shown(time, zone) for time in (first, last) if time)
        print(plain(f"{matches:>9,} {level:<13} {rule}: by {title} ({name}), {times}"))
    print(f"{store.counts()['suppressed']:,} matches were taken by exceptions so far", file=sys.stderr)
    return 0


def _show(store: Store, args: argparse.Namespace, _: Settings) -> int:
    document = store.finding(args.id)
    if document is None:
        raise UsageError(f"there is no finding {args.id!r}", fix="list them: soc findings list --ids")
    said = [asdict(each) for each in store.history(args.id)]
    later = [f"{each['event.id']}: {each['message']}" for each in store.successors(args.id)]
    under = [
        f"{time}: {source}, {', '.join(events)}{f' ({silenced})' if silenced else ''}"
        for time, source, events, silenced in store.matches_of(args.id, limit=MATCHES)
        .select(pl.col("@timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "soc.source", "event.id", "soc.silenced")
        .iter_rows()
    ]
    beside = {"soc.triage": said, "soc.successors": later, "soc.matches": under}
    whole = orjson.dumps(nest({**document, **beside}), default=str)
    text = orjson.dumps(orjson.loads(whole), option=orjson.OPT_INDENT_2).decode()  # evidence and decisions too
    print("\n".join(exporting.inert(line) for line in text.split("\n")))
    return 0


def _export(store: Store, args: argparse.Namespace, _: Settings) -> int:
    by_name = args.out.suffix.removeprefix(".").lower() if args.out else ""
    form = args.format or (by_name if by_name in FORMATS else "json")
    if args.out is None:
        count = _write(store, _wanted(args), form, sys.stdout)
    else:
        try:
            # the mark at the beginning tells spreadsheets that it is UTF-8
            with args.out.open("w", encoding="utf-8-sig" if form == "csv" else "utf-8", newline="") as file:
                count = _write(store, _wanted(args), form, file)
        except OSError as error:
            raise UnavailableError(f"{args.out} can't be written: {error.strerror}", fix="name another file") from error
    print(f"{count:,} findings exported", file=sys.stderr)
    return 0


def _write(store: Store, wanted: Wanted, form: str, file: TextIO) -> int:
    found = exporting.rows(store, wanted)
    if form == "csv":
        return exporting.write_csv(found, file)
    return exporting.write_json(exporting.documents(store, found), file, lines=form == "ndjson")
