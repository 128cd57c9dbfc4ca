"""`soc rules list`: one line per rule."""

from __future__ import annotations

import argparse

from detectors.schema import LEVELS
from flows import assembly
from flows.commands.options import add_paths, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument("--level", choices=LEVELS, help="this level only")


def run(args: argparse.Namespace) -> int:
    """Print the rules, the most severe first; 3 when any has a fault."""
    rules = assembly.load_rules(read_config(args), [*args.paths, *args.rules])
    rows = [(rule.meta, str(rule.logsource), rule.waits_for) for rule in rules.rules]
    rows += [(linked.rule.meta, linked.rule.type, ()) for linked in rules.correlations]
    for meta, source, lists in sorted(rows, key=lambda row: (-LEVELS.index(row[0].level), row[0].title)):
        if args.level in (None, meta.level):
            waits = f"  (waits for the lists {', '.join(lists)})" if lists else ""
            print(plain(f"{meta.level:<13} {meta.id}  {source:<34} {meta.title}{waits}"))
    return 3 if rules.faults else 0
