"""`soc models`: what was learnt, which version is in use, and which should be."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from connectors.models import Registry, Stored
from detectors.errors import InputError, UsageError
from flows.bench.table import table
from flows.commands.options import add_config, moment, read_config
from flows.settings import Settings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show|compare|promote|rollback", required=True)
    for verb, text in (
        ("list", "all versions, the one in use marked"),
        ("show", "the manifest of a version"),
        ("compare", "let a version and the one in use score the same days"),
        ("promote", "put a version into use, if it holds its own against that in use on the last week"),
        ("rollback", "put the version into use that was before"),
    ):
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        add_config(command)
        if verb != "list":
            command.add_argument("set", metavar="SET", help="feature set")
        if verb in {"show", "compare", "promote"}:
            optional = "?" if verb == "show" else None
            command.add_argument("version", nargs=optional, metavar="VERSION", help="version of its model")
        if verb == "promote":
            command.add_argument("--force", action="store_true", help="even if it loses against that in use")
        if verb == "compare":
            command.add_argument(
                "--since", type=moment, metavar="TIME", help="from this time on (default: 7 days before)"
            )
            command.add_argument(
                "--until", type=moment, metavar="TIME", help="before this time (default: the archive's last midnight)"
            )


def run(args: argparse.Namespace) -> int:
    """Do as the verb says."""
    settings = read_config(args)
    registry = Registry(settings.anomaly.location, settings.anomaly.key)
    if args.verb == "list":
        return _list(settings, registry)
    if args.verb == "show":
        stored, _ = registry.load(args.set, args.version)
        print(orjson.dumps(stored.manifest, option=orjson.OPT_INDENT_2).decode())
    elif args.verb == "promote":
        return _promote(args)
    elif args.verb == "rollback":
        print(plain(f"{args.set} {registry.rollback(args.set)} is in use again"), file=sys.stderr)
    else:
        _compare(args, registry)
    return 0


def _list(settings: Settings, registry: Registry) -> int:
    refused: list[InputError] = []
    known = registry.versions(refused=refused.append)
    print(_table(known, ZoneInfo(settings.zone)))
    for error in refused:
        _say(str(error))
    if not known and not refused:
        _say(f"no model below {settings.anomaly.location} yet; `soc train` learns what the archive has")
    return 3 if refused else 0


def _table(stored: list[Stored], zone: ZoneInfo) -> str:
    rows = [
        (
            f"{one.name} {one.version}",
            "in use" if one.champion else "",
            str(one.manifest["trained"])[:16],
            _days(one.manifest["period"], zone),
            int(one.manifest["windows"]["entities"]),
            int(one.manifest["windows"]["all"]) if "all" in one.manifest["windows"] else "?",
            "+".join(one.manifest["detectors"]),
        )
        for one in stored
    ]
    return table(("model", "", "trained", "on", "entities", "windows", "detectors"), rows)


def _days(period: list[str], zone: ZoneInfo) -> str:
    """Return the first and the last local day of a period."""
    begin, end = (datetime.fromisoformat(each).replace(tzinfo=UTC).astimezone(zone) for each in period)
    return f"{begin:%Y-%m-%d} – {end - timedelta(microseconds=1):%Y-%m-%d}"


def _compare(args: argparse.Namespace, registry: Registry) -> None:
    from flows.anomaly import working  # noqa: PLC0415 - what it needs takes long to import

    where = working.room(read_config(args), datetime.now(UTC), _say)
    champion = registry.champion(args.set)
    if champion is None:
        raise UsageError(f"no model of {args.set} is in use", fix=f"soc models promote {args.set} {args.version}")
    (chosen,) = where.chosen([args.set])
    week = working.last_week(where, chosen)
    until = args.until or (week[1] if week else where.now)
    since = args.since or until - timedelta(days=7)
    told = working.compare(where, chosen, (champion, args.version), since, until)
    if not told.windows:
        fix = "choose other days: --since and --until"
        raise UsageError(f"the archive has no windows of {args.set} from {since} until {until}", fix=fix)
    print(plain(str(told)))


def _promote(args: argparse.Namespace) -> int:
    from flows.anomaly import working  # noqa: PLC0415 - what it needs takes long to import

    where = working.room(read_config(args), datetime.now(UTC), _say)
    (chosen,) = where.chosen([args.set])
    if not working.promote(where, chosen, args.version, force=args.force):
        _say(f"{args.set} {args.version} is not put into use; --force does it all the same")
        return 3
    _say(f"{args.set} {args.version} is in use")
    return 0


def _say(text: str) -> None:
    print(plain(text), file=sys.stderr)
