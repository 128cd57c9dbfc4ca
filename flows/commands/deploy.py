"""`soc deploy`: what is done again and again, by the clock of a Prefect server."""

from __future__ import annotations

import argparse
import os

from detectors.errors import UsageError
from flows.commands.options import add_config, read_config

NAMES = ("PREFECT_API_URL", "PREFECT_PROFILE")  # either tells where the server is


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.epilog = (
        "Registers reckon/often, score/hourly, watch-sources/hourly, clean-archive/daily, watch-drift/daily, "
        "train/weekly, report/weekly and report/monthly in the Prefect server that PREFECT_API_URL names, and runs "
        "them until stopped."
    )


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    settings = read_config(args)
    if not any(os.environ.get(name) for name in NAMES):
        raise UsageError(
            "no Prefect server is named",
            fix="start one (`prefect server start`), and set PREFECT_API_URL=http://127.0.0.1:4200/api",
        )
    from flows import deployments  # noqa: PLC0415 - Prefect takes seconds to import

    deployments.run(args.config, settings.zone)
    return 0
