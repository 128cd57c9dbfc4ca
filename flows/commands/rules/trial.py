"""`soc rules try RULE`: what it would have found; of an exception, what it would have taken."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.archive import Archive
from detectors.errors import UsageError
from flows import assembly
from flows.assembly import Parts
from flows.authoring import chosen, trial
from flows.commands import exceptions
from flows.commands.options import add_config, add_rules, moment, read_config
from flows.terminal import plain

WIDTH = 200  # characters of an example
QUIET = 20  # rules without a match that are named
BAR = 40  # marks of the busiest day


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "rule", metavar="RULE", help="a file or folder of rules or of exceptions, or the id or title of a rule"
    )
    add_rules(parser)
    add_config(parser)
    parser.add_argument(
        "--since", type=moment, metavar="TIME", help="from this time on: 30d, or ISO 8601 (default: 30d)"
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time (default: now)")
    parser.add_argument("--source", action="append", metavar="NAME", help="this source only; may be repeated")
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Try, and print what was found; nothing is stored."""
    settings = read_config(args)
    if exceptions.are_meant(args.rule):
        return exceptions.run(args, settings)
    archive = Archive(args.archive or settings.archive)
    if not archive.sources():
        raise UsageError("the archive is empty", fix="fill it: soc scan --keep, or soc run")
    rules = chosen.some(args.rule, settings, args.rules)
    parts = assembly.parts(settings, rules)
    since = args.since or moment("30d")
    made = trial.run(parts, archive, args.source or archive.sources(), since, args.until, zone=ZoneInfo(settings.zone))
    told = made.document()
    if args.json:
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in _lines(told, parts):
            print(plain(line))
    events, seconds = sum(told["events"].values()), sum(told["seconds"].values())
    print(
        f"{events:,} events of {told['days']} days in {seconds:.2f} s, {told['events_per_second']:,} a second",
        file=sys.stderr,
    )
    if not events:
        print("nothing there in that time that these rules look at; --since 2000-01-01 asks all", file=sys.stderr)
    for fault in [*rules.faults, *made.faults]:
        print(plain(str(fault)), file=sys.stderr)
    return 3 if rules.faults or made.faults else 0


def _lines(told: dict[str, Any], parts: Parts) -> Iterator[str]:
    metas = {meta.id: meta for meta in parts.rules.metas()}
    loud = sorted((each for each in told["rules"].items() if each[1]["matches"]), key=lambda each: -each[1]["matches"])
    for name, found in loud:
        meta = metas[name]
        rate = f"{found['findings_per_day']:.2f} a day"
        yield f"{meta.title} ({meta.level}): {found['matches']:,} matches in {found['findings']:,} findings, {rate}"
        most = max(cell["matches"] for cell in found["by_day"])
        for cell in found["by_day"]:
            bar = "▇" * max(1, round(BAR * cell["matches"] / most))
            yield f"  {cell['day']}  {cell['source']:<14} {cell['organisation']:<24} {cell['matches']:>8,} {bar}"
        yield from (f"  e.g. {plain(example['record'], WIDTH)}" for example in found["examples"])
    quiet = [metas[name].title for name, found in told["rules"].items() if not found["matches"]]
    if quiet:
        more = f" and {len(quiet) - QUIET:,} more" if len(quiet) > QUIET else ""
        yield f"no match: {', '.join(sorted(quiet)[:QUIET])}{more}"
