"""`soc backfill`: rules over the archive, and what they find into the store, as though they had been there then."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.archive import Archive
from detectors.errors import UsageError
from flows import assembly, running
from flows.authoring import chosen
from flows.backfilling import backfill
from flows.commands.options import add_config, archived, moment, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "rule",
        nargs="?",
        metavar="RULE",
        help="a rule file or folder, or the id or title of a rule of the settings (default: all rules of the settings)",
    )
    add_config(parser)
    parser.add_argument(
        "--since", type=moment, metavar="TIME", help="from this time on, ISO 8601 or 30d (default: the start)"
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time (default: the end)")
    parser.add_argument("--source", action="append", metavar="NAME", help="this source only; may be repeated")
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")


def run(args: argparse.Namespace) -> int:
    """Run the rules over the archive; findings that were stored before stay as they are."""
    settings = read_config(args)
    if args.archive:
        settings = settings.model_copy(update={"archive": args.archive})
    known = Archive(settings.archive).sources()
    if not known:
        raise UsageError(f"the archive {settings.archive} is empty", fix="fill it: soc scan --keep, or soc run")
    asked = archived(args.source, known)
    wanted = chosen.some(args.rule, settings) if args.rule else assembly.load_rules(settings)
    parts = assembly.parts(settings, wanted)
    sources = [source for source in asked if source in parts.definitions]
    done = backfill(
        settings, parts, sources, lambda text: print(text, file=sys.stderr), since=args.since, until=args.until
    )
    for fault in parts.faults:
        print(plain(str(fault)), file=sys.stderr)
    print(running.summary(done).partition("\n")[0].replace("**", ""))
    return 3 if parts.faults or done.statistics.failed_rules else 0
