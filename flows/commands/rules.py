"""`soc rules`: check and list Sigma rules, run the tests inside them, and tell which can never match where."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import orjson

from connectors.definitions import BUILT_IN, load_definitions
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows import assembly, blindness, ruletests
from flows.commands.options import add_config, add_rules, read_config
from flows.ruleset import RuleSet
from flows.settings import Settings
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="check|list|test|blind", required=True)
    for verb, text in (
        ("check", "read every rule and tell all faults of all files, as file:line:column"),
        ("list", "one line per rule: level, id, log source, title"),
        ("test", "run the tests that stand inside the rules"),
        ("blind", "per source, the rules that can never match there for want of a field"),
    ):
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="rule files or folders")
        add_rules(command)
        add_config(command)
        if verb == "list":
            command.add_argument("--level", choices=LEVELS, help="this level only")
        if verb == "blind":
            command.add_argument("--source", metavar="NAME", help="this source only, and by kinds of event")
            command.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Do as the verb says; 3 when any rule has a fault or any test fails."""
    settings = read_config(args)
    folders = [*args.paths, *args.rules]
    rules = assembly.load_rules(settings, folders)
    if args.verb == "list":
        _list(rules, args.level)
        return 3 if rules.faults else 0
    if args.verb == "blind":
        _blind(rules, settings, args)
        return 3 if rules.faults else 0
    failures = ruletests.run(assembly.assemble(settings, folders)) if args.verb == "test" else []
    for fault in sorted(rules.faults, key=lambda fault: (fault.place is None, fault.place)):
        print(plain(str(fault)))
    for failure in failures:
        print(plain(str(failure)))
    _summary(rules)
    return 3 if rules.faults or failures else 0


def _list(rules: RuleSet, level: str | None) -> None:
    rows = [(rule.meta, str(rule.logsource), rule.waits_for) for rule in rules.rules]
    rows += [(linked.rule.meta, linked.rule.type, ()) for linked in rules.correlations]
    for meta, source, lists in sorted(rows, key=lambda row: (-LEVELS.index(row[0].level), row[0].title)):
        if level in (None, meta.level):
            waits = f"  (waits for the lists {', '.join(lists)})" if lists else ""
            print(plain(f"{meta.level:<13} {meta.id}  {source:<34} {meta.title}{waits}"))


def _blind(rules: RuleSet, settings: Settings, args: argparse.Namespace) -> None:
    definitions = load_definitions([BUILT_IN, *settings.sources])
    if args.source is not None:
        if args.source not in definitions:
            raise UsageError(f"no source is called {args.source!r}", fix=f"known: {', '.join(sorted(definitions))}")
        definitions = {args.source: definitions[args.source]}
    told = blindness.document(rules.rules, definitions.values())
    if args.source is not None:
        del told["uncovered"]  # what other sources have is not asked
    if args.json:
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    for line in blindness.lines(told, whole=args.source is not None):
        print(plain(line))


def _summary(rules: RuleSet) -> None:
    levels = Counter(meta.level for meta in rules.metas())
    told = ", ".join(f"{levels[level]:,} {level}" for level in reversed(LEVELS) if levels[level])
    print(f"{len(rules):,} rules can run ({told or 'none'}); {len(rules.faults):,} faults", file=sys.stderr)
    for rule in rules.rules:
        if rule.waits_for:
            names = ", ".join(f"`{name}`" for name in rule.waits_for)
            print(
                plain(f"{rule.place}: waits for {names}: give the values in the file that `lists:` of soc.yml names"),
                file=sys.stderr,
            )
