"""`soc parse`: logs as normalised ECS events, one nested JSON document a line, in input order."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import orjson
import polars as pl

from connectors.definitions import means
from connectors.files import FileSource
from connectors.multiline import carried
from connectors.parser import DefinedParser, to_ecs
from connectors.recognise import recogniser
from flows import assembly, enriching
from flows.commands.options import add_config, read_config, zone
from flows.naming import no_source
from flows.progress import progress
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder; .gz .zst .zip .tar.gz too")
    add_config(parser)
    parser.add_argument("--source", metavar="NAME", help="source definition of all files (default: told by content)")
    parser.add_argument(
        "--zone", type=zone, metavar="Z", help="time zone of times without one: Asia/Ho_Chi_Minh, +07:00"
    )
    parser.add_argument("--year", type=int, metavar="Y", help="year of times without one")
    parser.add_argument("--enrich", action="store_true", help="add what registry, calendar and lists know of an event")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write here instead of to stdout")


def run(args: argparse.Namespace) -> int:
    """Parse, and say on stderr what could not be."""
    settings = read_config(args)
    definitions = assembly.definitions(settings)
    enrichment = enriching.load(settings) if args.enrich else None
    if args.source and args.source not in definitions:
        raise no_source(args.source, definitions)
    letters: list[str] = []

    def bury(dead: pl.DataFrame) -> None:
        letters.extend(f"offset {at}: {why}" for at, why in dead.select("log.offset", "error.message").iter_rows())

    with ExitStack() as stack:
        out: BinaryIO = stack.enter_context(args.out.open("wb")) if args.out else sys.stdout.buffer
        shown = stack.enter_context(progress("parsing"))
        files = FileSource(
            args.paths,
            recogniser(definitions),
            args.source,
            report=shown,
            dead=bury,
        )
        for batch in carried(files.batches(), means(definitions)):
            definition = definitions[batch.source]
            parsed = DefinedParser(definition, year=args.year, zone=args.zone, enrichment=enrichment).parse(batch, None)
            bury(parsed.lost)
            out.writelines(
                orjson.dumps(document, default=str) + b"\n" for document in to_ecs(parsed.events, definition)
            )
    left_out = enrichment.faults if enrichment else ()
    problems = [*map(str, (*left_out, *files.outcome.faults)), *letters]
    for problem in [*problems[:20], *map(str, files.outcome.notices[:20])]:
        print(f"soc: {plain(problem)}", file=sys.stderr)
    if len(problems) > 20:
        print(f"soc: and {len(problems) - 20} more", file=sys.stderr)
    return 3 if problems else 0
