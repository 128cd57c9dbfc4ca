"""`soc rules import DIR`: what can live here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows import assembly
from flows.authoring import importing
from flows.authoring.fates import fated
from flows.commands.options import add_config, read_config
from flows.terminal import plain

ROWS = 25  # log sources and fields that are shown
VERDICTS = ("live", "blind", "waiting", "homeless")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of rules, or a checkout such as SigmaHQ's")
    add_config(parser)
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="copy the rules that live here, with licence and origins"
    )
    parser.add_argument("--level", choices=LEVELS, help="copy rules of this level at least")
    parser.add_argument(
        "--source", action="append", default=[], metavar="NAME", help="copy what lives on this source; may be repeated"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be copied")
    parser.add_argument("--json", action="store_true", help="print a JSON document with every rule")


def run(args: argparse.Namespace) -> int:
    """Tell what lives, and copy what is wanted; 3 when a rule has a fault."""
    if not args.folder.exists():
        raise UsageError(f"no folder at {args.folder}", fix="of a repository, clone it first and name the checkout")
    settings = read_config(args)
    rules = assembly.load_rules(settings, importing.folders(args.folder))
    found = fated(rules.rules, settings, args.source)
    told = importing.document(found, rules)
    if args.json:
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in _lines(told):
            print(plain(line))
    for fault in rules.faults:
        print(plain(str(fault)), file=sys.stderr)
    if args.into:
        chosen = importing.wanted(found, args.level, args.source)
        changed = importing.copy(chosen, args.folder, args.into, dry=args.dry_run)
        verb = "would be copied" if args.dry_run else "copied"
        print(f"{len(chosen):,} rules chosen; {len(changed):,} files {verb} into {args.into}", file=sys.stderr)
    return 3 if rules.faults else 0


def _lines(told: dict[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{told['verdicts'].get(verdict, 0):,} {verdict}" for verdict in VERDICTS)
    yield f"{told['rules']:,} rules: {counts}"
    yield f"live on: {', '.join(f'{name} {count:,}' for name, count in told['live_by_source'].items()) or 'no source'}"
    lacking = list(told["missing_fields"].items())[:ROWS]
    yield f"blind for want of: {', '.join(f'{name} {count:,}' for name, count in lacking) or 'nothing'}"
    yield f"{'log source':<44}" + "".join(f"{verdict:>10}" for verdict in VERDICTS)
    sources = list(told["by_logsource"].items())
    for name, counted in sources[:ROWS]:
        yield f"{name:<44}" + "".join(f"{counted.get(verdict, 0):>10,}" for verdict in VERDICTS)
    if len(sources) > ROWS:
        yield f"… and {len(sources) - ROWS:,} more log sources (--json tells all)"
