"""`soc dead`: lines that could not become events, and how to try them once more."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import polars as pl

from connectors.archive import Archive
from flows import assembly
from flows.commands.options import add_config, archived, read_config
from flows.settings import Settings
from flows.terminal import plain
from flows.triage.opening import kept

VERBS = {
    "list": "how many, by source and reason",
    "show": "each with its place and raw text",
    "replay": "read them once more, now that a definition was mended; what gives an event is archived and detected",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="|".join(VERBS), required=True)
    for verb, text in VERBS.items():
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        add_config(command)
        if verb == "replay":
            command.add_argument("--source", action="append", metavar="NAME", help="this source only; may be repeated")
        else:
            most = "at most this many (default: 1000)"
            command.add_argument("--limit", type=int, default=1000, metavar="N", help=most)


def run(args: argparse.Namespace) -> int:
    """List or show dead letters, or read them again."""
    settings = read_config(args)
    if args.verb == "replay":
        return _replay(settings, args.source)
    letters = _letters(settings, args.limit)
    if args.verb == "list":
        counts = Counter(letters.select("soc.source", "error.message").iter_rows())
        for (source, reason), count in counts.most_common():
            print(plain(f"{count:>8,}  {source:<14} {reason}", 160))
        return 0
    for letter in letters.iter_rows(named=True):
        place = f"{letter['soc.source']} {letter['soc.origin']} at {letter['log.offset']}"
        print(plain(f"{place}: {letter['error.message']}"))
        print(plain(f"    {letter['event.original']}", 400))
    return 0


def _letters(settings: Settings, limit: int) -> pl.DataFrame:
    """Return the letters where a run puts them: in Kafka, or else in the embedded store."""
    if settings.kafka.servers:
        from connectors.kafka.letters import letters  # noqa: PLC0415 - embedded mode needs no client
        from flows.running import kafka  # noqa: PLC0415

        return letters(kafka(settings), limit)
    store = kept(settings)
    try:
        return store.letters(limit=limit)
    finally:
        store.close()


def _replay(settings: Settings, wanted: list[str] | None) -> int:
    from flows.replaying import replay  # noqa: PLC0415 - listing needs no pipeline

    parts = assembly.assemble(settings)
    known = [source for source in Archive(settings.archive).sources() if source in parts.definitions]
    for done in replay(settings, parts, archived(wanted, known), lambda text: print(text, file=sys.stderr)):
        if done.read or done.left:
            print(f"{plain(done.source)}: {done.read:,} read now, {done.left:,} still unread")
    return 0
