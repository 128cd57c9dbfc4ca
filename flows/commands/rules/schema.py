"""`soc rules schema`: for editors."""

from __future__ import annotations

import argparse
from pathlib import Path

import orjson

from flows import assembly
from flows.commands.options import add_config, read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--out", type=Path, metavar="F.json", help="write it there (default: print it)")


def run(args: argparse.Namespace) -> int:
    """Print the schema, or write it."""
    from flows.authoring.schema import schema  # noqa: PLC0415 - brings pySigma, which other verbs can do without

    settings = read_config(args)
    made = schema(assembly.definitions(settings))
    text = orjson.dumps(made).decode() + "\n"  # for editors: indented it would be twice as large
    if args.out:
        args.out.write_text(text, "utf-8")
    else:
        print(text, end="")
    return 0
