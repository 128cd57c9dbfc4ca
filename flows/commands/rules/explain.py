"""`soc rules explain RULE EVENT`: why, or why not."""

from __future__ import annotations

import argparse
from zoneinfo import ZoneInfo

import orjson

from detectors.errors import UsageError
from flows import assembly
from flows.authoring import chosen
from flows.commands.options import add_config, add_rules, read_config
from flows.ruleset import RuleSet
from flows.settings import Settings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("rule", metavar="RULE", help="a rule file, or the id or title of a rule")
    parser.add_argument(
        "event",
        metavar="EVENT",
        nargs="+",
        help="files of log lines or JSON, folders of them, `-`, or ids of events or findings; of any sources",
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
    """Explain a rule on one event, a correlation on all of them."""
    from flows.authoring import events, explain  # noqa: PLC0415 - bring pySigma, which other verbs can do without

    settings = read_config(args)
    parts = assembly.parts(settings, RuleSet((), ()))  # the events need no rules
    correlation = chosen.correlation(args.rule, settings, args.rules)
    if correlation is not None:
        return _correlation(correlation, args, settings, parts)
    rule = chosen.one(args.rule, settings, args.rules)
    found = events.every(args.event, rule.logsource, parts, settings, args.source)
    if args.number is not None and len(found) > 1:
        named = ", ".join(each.source for each in found)
        raise UsageError(f"the events are of {named}, each numbered from 1", fix="give those of one source")
    if args.number is not None and not 0 < args.number <= found[0].frame.height:
        raise UsageError(f"there is no event {args.number}", fix=f"there are {found[0].frame.height}")
    lists = assembly.value_lists(settings)
    told = [explain.explain(rule, each, parts, lists, args.number) for each in found]
    made = min(told, key=lambda each: (not each.matches, bool(each.obstacles)))  # of several sources the nearest
    if args.json:
        print(orjson.dumps(made.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in explain.lines(made):
            print(plain(line))
    return 0


def _correlation(rules: RuleSet, args: argparse.Namespace, settings: Settings, like: assembly.Parts) -> int:
    """Explain a correlation on all of the events."""
    from flows.authoring import counting, events  # noqa: PLC0415 - as above

    parts, logsources = assembly.parts(settings, rules, like), [rule.logsource for rule in rules.rules]
    found = events.every(args.event, logsources[0], parts, settings, args.source)
    made = counting.explain(rules.correlations[-1], found, parts, ZoneInfo(settings.zone))
    if args.json:
        print(orjson.dumps(made.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in counting.lines(made):
            print(plain(line))
    return 0
