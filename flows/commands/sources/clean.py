"""`soc sources clean`: delete from the archive what is older than the retention of its source."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from connectors.archive import Archive
from detectors.errors import UsageError
from flows import assembly
from flows.commands.options import add_config, moment, read_config
from flows.sourcing.retention import clean, words
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
    for old in clean(archive, assembly.definitions(settings), args.at or now, remove=args.delete):
        count += len(old.days)
        print(plain(words(old, deleted=args.delete), 200))
    if not count:
        print("nothing is older than its retention")
    elif not args.delete:
        print("nothing was deleted: say --delete")
    return 0
