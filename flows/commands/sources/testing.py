"""`soc sources test`: do samples become what they must?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flows import assembly
from flows.commands.options import add_config, read_config
from flows.commands.sources.chosen import chosen
from flows.sourcing.samples import differences, samples
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME|FILE", help="sources or files (default: all that have samples)"
    )
    parser.add_argument(
        "--samples",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder with NAME/*.json beside those inside the definitions: {input, expected}; may be repeated",
    )
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is otherwise; 3 when anything is."""
    settings = read_config(args)
    known = assembly.definitions(settings)
    definitions = [chosen(name, known) for name in args.names] or list(known.values())
    ran, failed = 0, 0
    for definition in definitions:
        for name, sample in samples(definition, args.samples):
            found = list(differences(definition, name, sample))
            ran, failed = ran + 1, failed + bool(found)
            for each in found:
                print(plain(str(each)))
    print(f"{ran} samples, {failed} failed", file=sys.stderr)
    return 3 if failed else 0
