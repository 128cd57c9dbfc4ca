"""`soc sources clean`: delete from the archive what is older than the retention of its source."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from connectors.archive import Archive
from detectors.errors import UsageError
from flows import assembly
from flows.commands.options import add_config, moment, read_config
from flows.sourcing.retention import Expired, delete, expired
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--delete", action="store_true", help="delete; without it only say what would be")


def run(args: argparse.Namespace) -> int:
    """Say what is too old, and delete it if asked to; run it every day."""
    now = datetime.now(UTC)
    if args.delete and args.at and args.at > now:
        raise UsageError("--delete at a time to come would delete what is still to be kept", fix="leave out --at")
    settings = read_config(args)
    archive = Archive(args.archive or settings.archive)
    count = 0
    for old in expired(archive, assembly.definitions(settings), args.at or now):
        count += len(old.days)
        print(plain(_line(old, deleted=args.delete), 200))
        if args.delete:
            delete(archive, old)
    if not count:
        print("nothing is older than its retention")
    elif not args.delete:
        print("nothing was deleted: say --delete")
    return 0


def _line(old: Expired, *, deleted: bool) -> str:
    size = sum(day.bytes for day in old.days) / 1e6
    word = "deleted" if deleted else "to delete"
    return (
        f"{word}: {old.source}, {len(old.days)} days from {old.days[0].day} to {old.days[-1].day}, {size:,.1f} MB "
        f"(kept for {old.retention})"
    )
