"""`soc rules coverage`: what of ATT&CK is looked for, and where it can be seen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from detectors.attack import RELEASE, techniques
from flows import assembly
from flows.authoring.fates import fated, on
from flows.commands.options import add_paths, read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument("--source", action="append", metavar="NAME", help="what this source sees; may be repeated")
    parser.add_argument("--name", default="Coverage of rules", metavar="TEXT", help="name of the layer and the page")
    parser.add_argument(
        "--layer", type=Path, metavar="F.json", help="write an ATT&CK Navigator layer (default: print it)"
    )
    parser.add_argument("--html", type=Path, metavar="F.html", help="write the matrix as a page that works offline")


def run(args: argparse.Namespace) -> int:
    """Write what was asked for; 3 when a rule has a fault."""
    from flows.authoring import coverage  # noqa: PLC0415 - Jinja takes long, and only this verb needs it

    settings = read_config(args)
    rules = assembly.load_rules(settings, [*args.paths, *args.rules])
    found = fated(rules.rules, settings, args.source or ())
    covered = coverage.coverage(on(args.source, found) if args.source else found)
    text = orjson.dumps(coverage.layer(covered, args.name), option=orjson.OPT_INDENT_2).decode()
    if args.layer:
        args.layer.write_text(text + "\n", "utf-8")
    if args.html:
        args.html.write_text(coverage.page(covered, args.name), "utf-8")
    if not args.layer and not args.html:
        print(text)
    print(f"{len(covered.every)} of {len(techniques())} techniques of ATT&CK v{RELEASE}", file=sys.stderr)
    return 3 if rules.faults else 0
