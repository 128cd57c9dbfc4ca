"""`soc rules explain RULE EVENT`: why, or why not."""

from __future__ import annotations

import argparse

import orjson

from detectors.errors import UsageError
from flows import assembly
from flows.authoring import chosen
from flows.commands.options import add_config, add_rules, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("rule", metavar="RULE", help="a rule file, or the id or title of a rule")
    parser.add_argument(
        "event", metavar="EVENT", help="a file of log lines or JSON, `-`, or the id of an event or finding"
    )
    add_rules(parser)
    add_config(parser)
    parser.add_argument(
        "--source", metavar="NAME", help="the source of the lines (default: told by content); fields: as rules see"
    )
    parser.add_argument(
        "--number", type=int, metavar="N", help="explain the Nth event (default: one that matches, or nearly)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Explain a rule on one event."""
    from flows.authoring import events, explain  # noqa: PLC0415 - bring pySigma, which other verbs can do without

    settings = read_config(args)
    rule = chosen.one(args.rule, settings, args.rules)
    parts = assembly.assemble(settings, [*args.rules] or None)
    found = events.find(args.event, rule.logsource, parts, settings, args.source)
    if args.number is not None and not 0 < args.number <= found.frame.height:
        raise UsageError(f"there is no event {args.number}", fix=f"there are {found.frame.height}")
    made = explain.explain(rule, found, parts, assembly.value_lists(settings), args.number)
    if args.json:
        print(orjson.dumps(made.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in explain.lines(made):
            print(plain(line))
    return 0
