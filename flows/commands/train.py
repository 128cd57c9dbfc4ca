"""`soc train`: learn from the archive what is usual."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from flows.commands.options import add_config, moment, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help="feature sets (default: all that the archive has events of)"
    )
    add_config(parser)
    parser.add_argument(
        "--since", type=moment, metavar="TIME", help="from this time on (default: 60 days before the end)"
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time (default: the archive's end)")
    parser.add_argument("--prefect", action="store_true", help="as the Prefect flow `train`")


def run(args: argparse.Namespace) -> int:
    """Train, and say what was made."""
    if args.prefect:
        from flows.anomaly import scheduled  # noqa: PLC0415 - Prefect takes seconds to import

        return 0 if scheduled.train(args.config, args.sets) else 3
    from flows.anomaly import working  # noqa: PLC0415 - what it needs takes long to import

    where = working.room(read_config(args), datetime.now(UTC), _say)
    made = working.train_all(where, args.sets, args.since, args.until)
    return 0 if made else 3


def _say(text: str) -> None:
    print(plain(text), file=sys.stderr)
