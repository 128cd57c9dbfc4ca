"""`soc rules schema`: for editors."""

from __future__ import annotations

import argparse
from pathlib import Path

import orjson

from connectors.kept import Kept, contents, program
from flows import assembly
from flows.commands.options import add_config, read_config
from flows.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--out", type=Path, metavar="F.json", help="write it there (default: print it)")


def run(args: argparse.Namespace) -> int:
    """Print the schema, or write it."""
    settings = read_config(args)
    kept = Kept(settings.cache, "schema", program(), contents(settings.sources))
    text = kept.read()
    if text is None:
        text = _made(settings)
        kept.write(text)
    if args.out:
        args.out.write_bytes(text)
    else:
        print(text.decode(), end="")
    return 0


def _made(settings: Settings) -> bytes:
    from flows.authoring.schema import schema  # noqa: PLC0415 - brings pySigma, which other verbs can do without

    # for editors: indented it would be twice as large
    return orjson.dumps(schema(assembly.definitions(settings)), option=orjson.OPT_APPEND_NEWLINE)
