"""`soc rules new TITLE`: the beginning of a rule."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from detectors.contracts import LogSource
from detectors.errors import UsageError
from detectors.nearest import nearest
from detectors.schema import LEVELS
from flows import assembly, ruletests
from flows.authoring import check, fields
from flows.authoring.fields import Fields
from flows.commands.options import add_config, read_config
from flows.ruleset import RuleSet
from flows.settings import Settings
from flows.terminal import plain

if TYPE_CHECKING:
    from flows.authoring.new import Words


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("title", metavar="TITLE", help="what happened, in a few words")
    add_config(parser)
    parser.add_argument(
        "--logsource", metavar="K=V,…", help="of a template: category=webserver, or product=linux,service=sshd"
    )
    parser.add_argument("--from", dest="events", metavar="FILE", help="log lines or JSON (`-`: standard input) to find")
    parser.add_argument("--lines", metavar="N,N-M", help="find these events of the file only; the rest must not match")
    parser.add_argument("--others", metavar="FILE", help="events of the same source that must not match")
    parser.add_argument("--source", metavar="NAME", help="the source of the lines (default: told by content)")
    parser.add_argument("--level", choices=LEVELS, default="medium", help="(default: medium)")
    parser.add_argument(
        "--tag", action="append", default=[], metavar="TAG", help="attack.t1110 and so on; may be repeated"
    )
    parser.add_argument("--author", default="", metavar="NAME", help="who writes it")
    parser.add_argument("--into", type=Path, default=Path(), metavar="DIR", help="folder of the file (default: here)")


def run(args: argparse.Namespace) -> int:
    """Write the file, check and test it; 3 when that finds a fault."""
    from flows.authoring import new  # noqa: PLC0415 - brings pySigma, which other verbs can do without

    settings = read_config(args)
    parts = assembly.parts(settings, RuleSet((), ()))  # the events need no rules
    known = fields.kept(settings)
    today = datetime.now(UTC).astimezone(ZoneInfo(settings.zone)).date()
    words = new.Words(args.title, args.level, args.author, args.tag, today)
    if args.events:
        document = _from_events(args, words, parts, settings, known)
    else:
        logsource = _logsource(args.logsource)
        document = new.template(words, logsource, _field(known, logsource))
    path = new.write(document, args.into)
    print(path)
    return _examined(path, settings, parts, known)


def _from_events(
    args: argparse.Namespace, words: Words, parts: assembly.Parts, settings: Settings, known: Fields
) -> dict[str, Any]:
    from flows.authoring import events, new  # noqa: PLC0415 - as above

    found = events.find(args.events, LogSource(), parts, settings, args.source)
    source = args.source or found.source
    others = events.find(args.others, LogSource(), parts, settings, source) if args.others else None
    if events.FIELDS in {found.source, others.source if others else found.source}:
        raise UsageError("no source is known by these events", fix="name it with --source")
    rows = _rows(args.lines, found.frame.height)
    definition = parts.definitions[found.source]
    document, remaining = new.from_events(words, found, rows, others, definition, siblings=known.logsources())
    if remaining:
        print(
            f"{remaining:,} of the other events match too: nothing that all wanted have tells them apart",
            file=sys.stderr,
        )
    return document


def _rows(text: str | None, count: int) -> list[int]:
    """Return the rows that `1,5-7` means, or all."""
    if text is None:
        return list(range(count))
    try:
        spans = [tuple(map(int, part.split("-"))) for part in text.split(",")]
        rows = sorted({row - 1 for span in spans for row in range(span[0], span[-1] + 1)})
    except ValueError:
        raise UsageError(f"{text!r} is no list of numbers", fix="write 1,5-7") from None
    if not rows or rows[0] < 0 or rows[-1] >= count:
        raise UsageError(f"there are {count} events, numbered from 1")
    return rows


def _logsource(text: str | None) -> LogSource:
    if text is None:
        raise UsageError("a template needs to know the log", fix="give --logsource, or --from with example events")
    legal = ("category", "product", "service")
    given = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if key not in legal or not equals or not value:
            raise UsageError(f"{part!r} is no part of a log source", fix=nearest(key, legal))
        given[key] = value.lower()
    return LogSource(**given)


def _field(known: Fields, logsource: LogSource) -> str:
    """Return a field that a template may ask for."""
    legal = known.legal(logsource) or frozenset()
    usual: Sequence[str] = ("CommandLine", "cs-uri-query", "message", "Image", "TargetFilename", "TargetObject")
    return next((name for name in usual if name in legal), min(legal, default="message"))


def _examined(path: Path, settings: Settings, like: assembly.Parts, known: Fields) -> int:
    parts = assembly.parts(settings, assembly.load_rules(settings, [path]), like)
    remarks = check.check(parts.rules, [str(path)], known, check.kept(settings))
    failures = ruletests.run(parts)
    for line in [*map(str, remarks), *map(str, failures)]:
        print(plain(line), file=sys.stderr)
    print("checked and tested; now say what only you know, and try it: soc rules try", file=sys.stderr)
    return 3 if failures or any(remark.severity == "error" for remark in remarks) else 0
