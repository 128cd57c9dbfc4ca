"""`soc dashboards build`: the saved objects and the promotion rule as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboards import savedobjects
from flows.commands.dashboards.opening import add_space, built
from flows.commands.options import read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_space(parser)
    parser.add_argument("--out", type=Path, default=Path("soc.ndjson"), metavar="FILE", help="default: soc.ndjson")
    parser.add_argument("--rule", type=Path, metavar="FILE", help="also write the promotion rule")


def run(args: argparse.Namespace) -> int:
    """Write the files: the same bytes from the same definitions."""
    objects = built(args, read_config(args))
    args.out.write_bytes(savedobjects.ndjson(objects))
    print(f"{args.out}: {len(objects)} saved objects", file=sys.stderr)
    if args.rule:
        args.rule.write_bytes(savedobjects.ndjson([savedobjects.promotion()]))
        print(f"{args.rule}: the promotion rule (Security, Rules, Import)", file=sys.stderr)
    return 0
