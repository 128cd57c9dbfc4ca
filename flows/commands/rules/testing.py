"""`soc rules test`: the tests inside the rules, and what they are worth."""

from __future__ import annotations

import argparse
import sys
from functools import cache

import orjson

from connectors.kept import contents
from detectors.sigma.valuelist import Lists
from flows import assembly
from flows import lists as value_lists
from flows.authoring import testing
from flows.authoring.memo import Memo
from flows.commands.options import add_paths, read_config
from flows.ruleset import own_rules
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument(
        "--mutate",
        action=argparse.BooleanOptionalAction,
        help="leave each value, item, part and `not` out of the rules: a test must fail (default: of our own rules)",
    )
    parser.add_argument(
        "--propose", action="store_true", help="print events that tests lack, to be put at the end of the rules"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Run the tests; 3 when any fails, when a rule has a fault, or when something may be left out unnoticed."""
    settings = read_config(args)
    rules = assembly.load_rules(settings, [*args.paths, *args.rules])
    load = cache(lambda: assembly.parts(settings, rules))
    lists = assembly.value_lists(settings)
    # what else a verdict depends on than the rule: a verdict that is kept must never hide a failure
    listed = value_lists.files(assembly.list_paths(settings))
    read = [*settings.sources, *listed, *assembly.enrichment_paths(settings)]
    told = f"{settings.enrichment!r} {settings.zone}".encode()
    memo = Memo(settings.cache, "test", contents(read, (".yml", ".yaml", ".csv", ".txt")), told)
    if args.propose:
        return _propose(load(), lists)
    results = testing.test(rules, load, memo, lists, mutate=args.mutate, own=own_rules())
    memo.save()
    bad = [line for result in results for line in (*result.failures, *result.survivors)]
    if args.json:
        print(orjson.dumps([result.document() for result in results], option=orjson.OPT_INDENT_2).decode())
    else:
        for line in [*map(str, rules.faults), *bad]:
            print(plain(line))
    print(testing.summary(results), file=sys.stderr)
    return 3 if rules.faults or bad else 0


def _propose(parts: assembly.Parts, lists: Lists) -> int:
    from flows.authoring import lacking  # noqa: PLC0415 - brings pySigma, which other verbs can do without

    for rule in parts.rules.tested:
        proposed = lacking.text(lacking.lacking(rule, parts, lists))
        if proposed:
            print(plain(f"# {rule.place.file}"))
            print("\n".join(plain(line) for line in proposed.splitlines()))
    return 3 if parts.rules.faults else 0
