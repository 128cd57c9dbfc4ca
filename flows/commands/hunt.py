"""`soc hunt`: a rule, some values, or a question in SQL over the archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from connectors.archive import Archive
from connectors.nested import nest
from detectors.errors import UsageError
from detectors.schema import FINDING
from flows import assembly, sql
from flows.authoring import chosen
from flows.commands.options import add_config, archived, moment, read_config
from flows.documents import write_lines
from flows.hunting import hunt
from flows.ruleset import RuleSet
from flows.selecting import selection
from flows.settings import Settings
from flows.table import print_findings, print_frame


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "rule",
        nargs="?",
        metavar="RULE|SQL",
        help="a rule file or folder, the id or title of a rule of the settings, or a SELECT over sources: "
        '\'SELECT "user.name", count(*) FROM auth GROUP BY "user.name"\'',
    )
    parser.add_argument(
        "--where",
        action="append",
        metavar="FIELD=VALUE",
        help="instead of a rule: events that have this value, on any source; of several of one field any, of several "
        "fields each",
    )
    add_config(parser)
    parser.add_argument("--since", type=moment, metavar="TIME", help="from this time on, ISO 8601 (default: the start)")
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time (default: the end)")
    parser.add_argument(
        "--source", action="append", metavar="NAME", help="this source only; may be repeated; SQL may then ask no other"
    )
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write what was found, one JSON document a line")
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows of the table (default: 20)")


def run(args: argparse.Namespace) -> int:
    """Hunt, and print what was found; nothing is stored."""
    settings = read_config(args)
    archive = Archive(args.archive or settings.archive)
    if not (known := archive.sources()):
        raise UsageError("the archive is empty", fix="fill it: soc scan --keep, or soc run")
    sources = archived(args.source, known)
    if args.rule and sql.QUESTION.match(args.rule):
        return _answer(args, settings, archive)
    if bool(args.rule) == bool(args.where):
        raise UsageError("a hunt is for a rule or for values", fix="name a RULE, or write --where user.name=lan")
    wanted = RuleSet((selection(args.where),), ()) if args.where else chosen.some(args.rule, settings)
    parts = assembly.parts(settings, wanted)
    found = [one.findings for one in hunt(parts, archive, sources, args.since, args.until)]
    findings = pl.concat(found) if found else FINDING.to_frame()
    if args.out:
        write_lines(args.out, (nest(row) for row in findings.iter_rows(named=True)))
    print_findings(findings, rows=args.rows, zone=ZoneInfo(settings.zone))
    print(f"{len(parts.rules)} rules over {', '.join(sources)}", file=sys.stderr)
    return 3 if parts.faults else 0


def _answer(args: argparse.Namespace, settings: Settings, archive: Archive) -> int:
    """Answer a question in SQL."""
    parts = assembly.parts(settings, RuleSet((), ()))
    answer = sql.ask(args.rule, parts, archive, since=args.since, until=args.until, allowed=args.source)
    if args.out:
        write_lines(args.out, answer.iter_rows(named=True))
    print_frame(answer, rows=args.rows)
    return 0
