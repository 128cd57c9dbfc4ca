"""`soc rules promote RULE`: raise its status, if the evidence is there."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.archive import Archive
from detectors.errors import RuleError
from flows import assembly, ruletests
from flows.authoring import check, fields, trial
from flows.commands.options import add_config, add_rules, moment, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("rule", metavar="RULE", help="a file of one rule or correlation, or the id or title of one")
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--since", type=moment, metavar="TIME", help="try it from this time on (default: 30d)")
    parser.add_argument("--archive", type=Path, metavar="DIR", help="archive (default: that of the settings)")
    parser.add_argument("--dry-run", action="store_true", help="show the evidence, change nothing")


def run(args: argparse.Namespace) -> int:
    """Show the evidence, and write the new status if all of it is there; 3 when something is missing."""
    from flows.authoring import promotion  # noqa: PLC0415 - brings pySigma, which other verbs can do without

    settings = read_config(args)
    asked = promotion.asked(args.rule, settings, args.rules)
    status = promotion.next_status(asked.rule)
    parts = assembly.parts(settings, asked.rules)
    archive = Archive(args.archive or settings.archive)
    since = args.since or moment("30d")
    tried = (
        trial.run(parts, archive, archive.sources(), since, None, zone=ZoneInfo(settings.zone))
        if status == "stable"
        else None
    )
    found = promotion.evidence(
        asked.rule,
        status,
        check.check(asked.rules, [asked.rule.place.file], fields.kept(settings), check.kept(settings)),
        failures=len(list(asked.failures(parts))),
        score=asked.score(parts, assembly.value_lists(settings)),
        trial=tried,
    )
    for line in found:
        print(plain(str(line)))
    if not all(each.met for each in found):
        print(f"stays {asked.rule.meta.status or 'without status'}", file=sys.stderr)
        return 3
    if not args.dry_run:
        document = ruletests.document_of(asked.rule)
        if document is None:
            raise RuleError("the file has changed since it was read", place=asked.rule.place, fix="try again")
        today = datetime.now(UTC).astimezone(ZoneInfo(settings.zone)).date()
        text = promotion.rewritten(document, status, found, today)
        Path(asked.rule.place.file).write_text(text, "utf-8")
    print(f"{'would be' if args.dry_run else 'is'} {status} now", file=sys.stderr)
    return 0
