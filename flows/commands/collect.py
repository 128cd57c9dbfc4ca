"""`soc collect`: syslog, files, folders and HTTP into Kafka."""

from __future__ import annotations

import argparse

from flows.commands.options import add_config, read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument(
        "--stdin", metavar="SOURCE", help="also take lines of this source from stdin; ends when it ends"
    )


def run(args: argparse.Namespace) -> int:
    """Collect until stopped (SIGTERM, Ctrl-C); what Kafka doesn't take waits in the spool."""
    from flows.collecting.service import collect  # noqa: PLC0415 - its import takes as long as the rest of `soc --help`

    collect(read_config(args), args.stdin)
    return 0
