"""`soc sources health`: when each source last wrote, and whether that is what its definition expects."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from connectors.archive import Archive
from flows import assembly
from flows.bench.table import table
from flows.commands.options import add_config, moment, read_config
from flows.sourcing.health import HEAD, health, row
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Print a line per source; 3 when any is silent or low, or a sender's clock is off."""
    settings = read_config(args)
    archive = Archive(args.archive or settings.archive)
    found = list(health(archive, assembly.definitions(settings), args.at or datetime.now(UTC)))
    rows = [row(one, ZoneInfo(settings.zone)) for one in found]
    if args.json:
        print(
            orjson.dumps([dict(zip(HEAD, cells, strict=True)) for cells in rows], option=orjson.OPT_INDENT_2).decode()
        )
    else:
        print(table(HEAD, rows))
        for words in (words for one in found for words in one.sentences()):
            print(f"soc: {plain(words)}", file=sys.stderr)
    return 3 if any(one.poor for one in found) else 0
