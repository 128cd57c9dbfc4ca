"""`soc sources check`: what comes to life with a definition, what is missing, and the letter about that."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.files import FileSource
from connectors.recognise import Recognised
from detectors.contracts import Batch
from detectors.errors import UsageError
from flows import assembly
from flows.commands.options import add_config, add_rules, read_config
from flows.commands.sources.chosen import chosen
from flows.sourcing.letter import letter
from flows.sourcing.readiness import Readiness, judge
from flows.terminal import counted, plain, visible

SHOWN = 15  # fields


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("name", metavar="NAME|FILE", help="a source, or a file with a definition")
    parser.add_argument("--logs", type=Path, metavar="PATH", help="judge by what these logs of the source hold")
    parser.add_argument("--letter", action="store_true", help="print the letter to the system's owner, in Vietnamese")
    parser.add_argument("--to", default="", metavar="WHOM", help="whom the letter is to")
    add_rules(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Tell what was found; a faulty definition ends with 3."""
    settings = read_config(args)
    definition = chosen(args.name, assembly.definitions(settings))
    rules = assembly.load_rules(settings, args.rules)
    batches = [_first(args.logs, definition.name)] if args.logs else []
    ready = judge(rules.rules, definition, batches)
    if args.letter:
        today = datetime.now(UTC).astimezone(ZoneInfo(settings.zone)).date()
        print(visible(letter(ready, settings.letter, today, args.to), "\n"), end="")
        return 0
    for line in _told(ready):
        print(plain(line))
    return 0


def _first(path: Path, source: str) -> Batch:
    """Return the first batch of some logs."""
    files = FileSource([path], _nobody, source, dead=lambda _: None)
    try:
        batch = next(files.batches(), None)
    finally:
        files.close()
    if batch is None:
        raise UsageError(f"no line of {path} can be read", fix="give logs of this source")
    return batch


def _nobody(_: list[str], __: str) -> Recognised | None:
    return None


def _told(ready: Readiness) -> Iterator[str]:
    one = ready.definition
    yield f"{one.name}: {one.title}: valid"
    judged = f"by {ready.events:,} events" if ready.events else "by the definition"
    levels = ", ".join(f"{count} {level}" for level, count in ready.levels.items())
    yield f"{counted(len(ready.live))} live, judged {judged}{f': {levels}' if levels else ''}"
    if ready.waiting:
        yield f"{counted(len(ready.waiting))} look at kinds of events that these logs have none of"
    if ready.open:
        yield "which columns events have isn't known: list them under `columns`, or give --logs"
    if ready.blind:
        yield f"{counted(len(ready.blind))} blind for want of:"
        for lack in ready.lacks[:SHOWN]:
            by_level = ", ".join(f"{count} {level}" for level, count in lack.levels.items())
            yield f"  {lack.field}: {by_level}, such as {lack.titles[0]!r}"
        if len(ready.lacks) > SHOWN:
            yield f"  and {len(ready.lacks) - SHOWN} more fields"
    if ready.never:
        yield f"no event has: {', '.join(ready.never)}"
    yield f"personal data: {', '.join(one.personal) or 'none marked'}; entities: {', '.join(one.entity) or 'none'}"
    rate = one.expected.events_per_hour
    usual = f"{rate:,.0f} events an hour" if rate else "a rate nobody has told (`expected.events_per_hour`)"
    yield f"criticality {one.criticality}, kept {one.retention}, silent after {one.expected.silence}, {usual}"
