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
    for rule in sorted(rules.rules, key=lambda rule: (-LEVELS.index(rule.meta.level), rule.meta.title)):
        if args.level in (None, rule.meta.level):
            waits = f"  (waits for the lists {', '.join(rule.waits_for)})" if rule.waits_for else ""
            source = f"{rule.logsource!s:<34}"
            print(plain(f"{rule.meta.level:<13} {rule.meta.id}  {source} {rule.meta.title}{waits}"))
    return 3 if rules.faults else 0
