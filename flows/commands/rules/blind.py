"""`soc rules blind`: the rules that can never match, by source."""

from __future__ import annotations

import argparse

import orjson

from detectors.errors import UsageError
from flows import assembly, blindness
from flows.commands.options import add_paths, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument("--source", metavar="NAME", help="this source only, and by kinds of event")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Tell what every source lacks; 3 when any rule has a fault."""
    settings = read_config(args)
    rules = assembly.load_rules(settings, [*args.paths, *args.rules])
    definitions = assembly.definitions(settings)
    if args.source is not None:
        if args.source not in definitions:
            raise UsageError(f"no source is called {args.source!r}", fix=f"known: {', '.join(sorted(definitions))}")
        definitions = {args.source: definitions[args.source]}
    told = blindness.document(rules.rules, definitions.values())
    if args.source is not None:
        del told["uncovered"]  # what other sources have is not asked
    if args.json:
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in blindness.lines(told, whole=args.source is not None):
            print(plain(line))
    return 3 if rules.faults else 0
