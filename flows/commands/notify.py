"""`soc notify`: tell people of open incidents, in one message, without personal data."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from flows.commands.options import add_config, moment, read_config
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")


def run(args: argparse.Namespace) -> int:
    """Tell what has to be told now."""
    from flows.triage import notifying  # noqa: PLC0415 - other verbs need none of it

    settings = read_config(args)
    with opened(settings) as store:
        still, over = notifying.notify(settings, store, args.at or datetime.now(UTC))
    print(f"told of {still} open and {over} resolved incidents", file=sys.stderr)
    return 0
