"""`soc incident`: findings that belong together, their story, what is said of it, and the whole for others."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import orjson

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from connectors.store_schema import REASONS
from connectors.store_wanted import Status
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.commands.options import add_config, moment, read_config
from flows.settings import Settings
from flows.terminal import plain
from flows.times import shown
from flows.triage.deciding import close_members
from flows.triage.duties import MARK, SENT, Duties, Mark, read
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|status|assign|note|mark|sent|export", required=True)
    listing = verbs.add_parser("list", help="incidents, the most severe first; new findings are put into them before")
    add_config(listing)
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most this many (default: 50)")
    listing.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    showing = _about(verbs.add_parser("show", help="the story in order of time, its deadlines, its kill chain"))
    showing.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    judging = _saying(verbs.add_parser("status", help="say how far it is; a closed one goes on in a successor"))
    judging.add_argument("status", choices=get_args(Status), help="how far it is")
    judging.add_argument("--reason", choices=REASONS, help="why it is closed")
    judging.add_argument("--note", metavar="TEXT", help="anything else to know")
    judging.add_argument("--findings", action="store_true", help="close its open findings for the same reason too")
    assigning = _saying(verbs.add_parser("assign", help="say who looks at it"))
    assigning.add_argument("owner", metavar="NAME", help="who")
    assigning.add_argument("--note", metavar="TEXT", help="anything else to know")
    noting = _saying(verbs.add_parser("note", help="write something down beside it"))
    noting.add_argument("note", metavar="TEXT", help="what to write down")
    marking = _saying(verbs.add_parser("mark", help="say what the law calls it: its duties and deadlines follow"))
    marking.add_argument("mark", choices=get_args(Mark), help="what it is")
    sending = _saying(verbs.add_parser("sent", help="say that a report which the law asks for was sent"))
    sending.add_argument("duty", metavar="DUTY", help=f"which: {', '.join(duty.id for duty in read().duties)}")
    exporting = _about(verbs.add_parser("export", help="STIX 2.1 (.json), or the whole case with hashes (.zip)"))
    exporting.add_argument("--out", type=Path, required=True, metavar="FILE", help="F.json or F.zip")


def _about(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add_config(parser)
    parser.add_argument("id", metavar="ID", help="the incident's id")
    return parser


def _saying(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--by", metavar="NAME", help="who says so (default: the user)")
    return _about(parser)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    settings = read_config(args)
    with opened(settings) as store:
        if args.verb == "list":
            return _list(settings, store, args)
        if args.verb == "show":
            return _show(settings, store, args)
        if args.verb == "export":
            return _export(store, args)
        return _decide(store, args, read(settings.triage.duties))


def _list(settings: Settings, store: Store, args: argparse.Namespace) -> int:
    from flows.triage import reckoning  # noqa: PLC0415 - other verbs need none of it
    from flows.triage.story import case_titles  # noqa: PLC0415

    reckoning.incidents(settings, store, args.at or datetime.now(UTC))
    zone = ZoneInfo(settings.zone)
    found = Cases(store).all(args.limit)
    titles = case_titles(store, [case.id for case in found], settings.language)
    if not found:
        print("no incident; --at TIME asks as if it were that time", file=sys.stderr)
    for case in found:
        level = LEVELS[case.level] if case.level >= 0 else "unknown"
        times = " to ".join(shown(time, zone) for time in (case.first, case.last) if time)
        owner = f", {case.owner}" if case.owner else ""
        told = f"{case.id}  {level:<13} {case.status:<11} {case.findings:>5,} findings, {times}{owner}: "
        print(plain(told + titles[case.id], 240))
    return 0


def _show(settings: Settings, store: Store, args: argparse.Namespace) -> int:
    from flows.triage.outline import Telling, lines  # noqa: PLC0415
    from flows.triage.story import tell  # noqa: PLC0415

    now = args.at or datetime.now(UTC)
    how = Telling(read(settings.triage.duties), ZoneInfo(settings.zone), now, settings.language)
    for line in lines(tell(store, args.id), how):
        print(line)
    return 0


def _decide(store: Store, args: argparse.Namespace, law: Duties) -> int:
    status, reason = getattr(args, "status", None), getattr(args, "reason", None)
    if (status == "closed") != (reason is not None):
        raise UsageError("an incident is closed for a reason, and only then", fix=f"--reason {'|'.join(REASONS)}")
    if getattr(args, "findings", False) and status != "closed":
        raise UsageError("findings are closed with their incident only", fix="leave --findings out, or say closed")
    actor = args.by or os.environ.get("USER") or f"uid {os.getuid()}"
    owner, note = getattr(args, "owner", None), getattr(args, "note", None)
    known = [duty.id for duty in law.duties]
    if args.verb == "sent" and args.duty not in known:
        raise UsageError(f"there is no duty {args.duty!r}", fix=f"choose one of {', '.join(known)}")
    if args.verb in {"mark", "sent"}:
        note = f"{MARK}{args.mark}" if args.verb == "mark" else f"{SENT}{args.duty}"
    entry = Triage(args.id, datetime.now(UTC), actor, status, owner, note, reason)
    Cases(store).decide(entry)
    if getattr(args, "findings", False):
        print(f"{close_members(store, entry):,} findings closed with it", file=sys.stderr)
    return 0


def _export(store: Store, args: argparse.Namespace) -> int:
    from flows.triage.bundle import write_bundle  # noqa: PLC0415
    from flows.triage.stix import stix  # noqa: PLC0415
    from flows.triage.story import tell  # noqa: PLC0415

    story = tell(store, args.id)
    if args.out.suffix == ".zip":
        for name, digest in write_bundle(store, story, args.out).items():
            print(f"{digest}  {name}")
    elif args.out.suffix == ".json":
        args.out.write_bytes(orjson.dumps(stix(story), option=orjson.OPT_INDENT_2) + b"\n")
        print(f"{args.out}: STIX 2.1", file=sys.stderr)
    else:
        raise UsageError(f"what {args.out} shall be isn't known", fix="name it .json (STIX) or .zip (the whole case)")
    return 0
