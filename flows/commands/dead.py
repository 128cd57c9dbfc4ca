"""`soc dead`: lines that could not become events (embedded store)."""

from __future__ import annotations

import argparse
from collections import Counter

from flows.commands.options import add_config, read_config
from flows.terminal import plain
from flows.triage.opening import kept


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="list|show", required=True)
    for verb, text in (("list", "how many, by source and reason"), ("show", "each with its place and raw text")):
        command = verbs.add_parser(verb, help=text)
        add_config(command)
        command.add_argument("--limit", type=int, default=1000, metavar="N", help="at most this many (default: 1000)")


def run(args: argparse.Namespace) -> int:
    """List or show dead letters."""
    store = kept(read_config(args))
    try:
        letters = store.letters(limit=args.limit)
    finally:
        store.close()
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
