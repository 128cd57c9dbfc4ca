"""`soc rules check`: all faults of all files."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import orjson

from connectors.kept import contents
from detectors.schema import LEVELS
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from flows import assembly, doubts
from flows.authoring import check, chosen, fields
from flows.authoring.memo import Memo
from flows.authoring.remarks import Severity
from flows.commands.options import add_paths, read_config
from flows.ruleset import RuleSet, rule_files
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument("--strict", action="store_true", help="hold all rules to the style of our own; warnings count")
    parser.add_argument("--json", action="store_true", help="print a JSON list, for editors")


def run(args: argparse.Namespace) -> int:
    """Print every remark; 3 when any of them is an error."""
    settings = read_config(args)
    folders = assembly.rule_folders(settings, [*args.paths, *args.rules])
    rules = chosen.of_paths(folders, settings)
    sources = contents(settings.sources)
    memo = check.kept(settings, strict=args.strict)
    remarks = check.check(rules, rule_files(folders), fields.kept(settings), memo, strict=args.strict)
    if rules.filters:
        remarks = sorted([*remarks, *doubts.of(rules, settings, Memo(settings.cache, "exceptions", sources))])
    if args.json:
        print(orjson.dumps([remark.document() for remark in remarks], option=orjson.OPT_INDENT_2).decode())
    else:
        for remark in remarks:
            print(plain(str(remark)))
    count = Counter(remark.severity for remark in remarks)
    _summary(rules, [*rule_files(folders)], count)
    return 3 if count["error"] or (args.strict and count["warning"]) else 0


def _summary(rules: RuleSet, files: list[str], count: Counter[Severity]) -> None:
    levels = Counter(meta.level for meta in rules.metas())
    told = ", ".join(f"{levels[level]:,} {level}" for level in reversed(LEVELS) if levels[level])
    faults = f"{count['error']:,} faults, {count['warning']:,} warnings"
    excepted = f", {len(rules.filters):,} exception{'s' * (len(rules.filters) > 1)}" if rules.filters else ""
    able = f"{len(rules):,} rules can run ({told or 'none'}){excepted}"
    print(f"{len(files):,} files; {able}; {faults}", file=sys.stderr)
    waiting: list[Rule | Filter] = [*rules.rules, *rules.filters]
    for rule in waiting:
        if rule.waits_for:
            names = ", ".join(f"`{name}`" for name in rule.waits_for)
            print(
                plain(f"{rule.place}: waits for {names}: give the values in the file that `lists:` of soc.yml names"),
                file=sys.stderr,
            )
