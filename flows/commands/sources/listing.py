"""`soc sources list`: every source definition, and what rules see there."""

from __future__ import annotations

import argparse

import orjson

from flows import assembly
from flows.commands.options import add_config, add_rules, read_config
from flows.sourcing.readiness import Readiness, judge
from flows.terminal import plain

HEAD = ("name", "format", "log source", "sector", "criticality", "retention", "silence", "live", "blind")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Print a line per source; 3 when any rule has a fault."""
    settings = read_config(args)
    rules = assembly.load_rules(settings, args.rules)
    ready = [judge(rules.rules, each) for _, each in sorted(assembly.definitions(settings).items())]
    rows = [_row(each) for each in ready]
    if args.json:
        print(orjson.dumps([dict(zip(HEAD, row, strict=True)) for row in rows], option=orjson.OPT_INDENT_2).decode())
        return 3 if rules.faults else 0
    table = [HEAD, *[tuple(map(str, row)) for row in rows]]
    widths = [max(len(row[place]) for row in table) for place in range(len(HEAD))]
    for row in table:
        print(plain("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
    return 3 if rules.faults else 0


def _row(ready: Readiness) -> tuple[str | int, ...]:
    one, service = ready.definition, ready.definition.logsource
    logsource = "/".join(part for part in (service.product, service.category, service.service) if part) or "-"
    return (
        one.name,
        one.format,
        logsource,
        one.sector or "-",
        one.criticality,
        one.retention,
        one.expected.silence,
        len(ready.live),
        len(ready.blind),
    )
