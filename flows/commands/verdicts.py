"""`soc verdicts`: how right each rule was, how noisy and where, how long triage took, and what to do with it.

`fixture` makes a test of what was real, `exception` proposes what to except of false alarms.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from detectors.errors import UsageError
from flows.commands.options import add_config, add_rules, moment, read_config
from flows.documents import write_lines, write_text
from flows.terminal import plain
from flows.triage.exporting import inert
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--days", type=int, default=90, metavar="N", help="findings of so many days (default: 90)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--pull", action="store_true", help="tell also how much was new in Elasticsearch and Kibana")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write all numbers, one JSON document a line")
    verbs = parser.add_subparsers(dest="verb", metavar="fixture|exception")
    text = "a test for the rule of a finding that was real, with pseudonyms, to be put into the rule's `tests`"
    making = verbs.add_parser("fixture", help=text, description=text)
    making.add_argument("finding", metavar="ID", help="the finding's id")
    text = "an exception from what false alarms of a rule have in common, tried: no real finding is lost"
    proposing = verbs.add_parser("exception", help=text, description=text)
    proposing.add_argument("rule", metavar="RULE", help="id or title of the rule")
    proposing.add_argument("--by", metavar="NAME", help="who answers for it (default: the user)")
    proposing.add_argument("--into", type=Path, metavar="FILE", help="write it there (default: standard output)")
    for each in (making, proposing):
        add_config(each)
        add_rules(each)


def run(args: argparse.Namespace) -> int:
    """Judge the rules and print what to do, or offer a test or an exception."""
    return {"fixture": _fixture, "exception": _exception}.get(args.verb or "", _judge)(args)


def _fixture(args: argparse.Namespace) -> int:
    from flows import assembly  # noqa: PLC0415 - other verbs need none of it
    from flows.triage.fixture import fixture  # noqa: PLC0415

    settings = read_config(args)
    with opened(settings) as store:
        finding = store.whole(args.finding)
    if finding is None:
        raise UsageError(f"there is no finding {args.finding!r}", fix="list them: soc findings list --ids")
    made = fixture(finding, assembly.assemble(settings, args.rules), ZoneInfo(settings.zone))
    print("\n".join(inert(line) for line in made.written.rstrip("\n").split("\n")))
    if made.kept:
        shown = ", ".join(plain(value, 80) for value in made.kept)
        print(f"left as it is, for the rule looks for it: {shown}", file=sys.stderr)
    return 0


def _exception(args: argparse.Namespace) -> int:
    from flows import assembly  # noqa: PLC0415 - other verbs need none of it
    from flows.triage.exception import propose  # noqa: PLC0415

    settings = read_config(args)
    rules = assembly.load_rules(settings, args.rules).rules
    rule = next((each for each in rules if args.rule in {each.id, each.meta.title}), None)
    if rule is None:
        raise UsageError(f"there is no rule {args.rule!r} of single events", fix="list them: soc rules list")
    owner = args.by or os.environ.get("USER") or f"uid {os.getuid()}"
    with opened(settings) as store:
        made = propose(settings, store, rule, owner=owner, today=datetime.now(UTC).date(), folders=args.rules)
    if args.into:
        write_text(args.into, made.written)
    else:
        print("\n".join(inert(line) for line in made.written.rstrip("\n").split("\n")))
    print(f"takes {made.alarms:,} of {made.of:,} false alarms whole, and no real finding; tried:", file=sys.stderr)
    for line in made.told:
        print(f"  {plain(line)}", file=sys.stderr)
    return 0


def _judge(args: argparse.Namespace) -> int:
    from detectors.attack import attack  # noqa: PLC0415 - other verbs need none of it
    from detectors.verdicts import advise, judged  # noqa: PLC0415
    from flows import assembly  # noqa: PLC0415
    from flows.triage import reckoning, returning  # noqa: PLC0415
    from flows.triage.story import rule_titles  # noqa: PLC0415

    settings = read_config(args)
    with opened(settings, fresh=False) as store:
        new = returning.bring(settings, store)
        if args.pull:
            print(f"{new.findings:,} new findings, {new.verdicts:,} new verdicts", file=sys.stderr)
        findings = reckoning.recent(store, args.at or datetime.now(UTC), args.days)
        rules = judged(findings, reckoning.decisions(store))
        titles = rule_titles(store, rules["title"], settings.language)
    covered = {meta.id: frozenset(attack(meta.tags).techniques) for meta in assembly.load_rules(settings, []).metas()}
    advice = advise(rules, covered)
    if args.out:
        write_lines(args.out, ({**row, "advice": advice[row["rule"]][0]} for row in rules.iter_rows(named=True)))
    print(f"{'advice':<7} {'precision (95 %)':<20} {'true':>5} {'false':>5} {'open':>5} {'hours':>6}  rule")
    for row in rules.iter_rows(named=True):
        word, alone = advice[row["rule"]]
        share = "-" if row["precision"] is None else f"{row['precision']:.0%} ({row['least']:.0%}-{row['most']:.0%})"
        took = "-" if row["hours"] is None else f"{row['hours']:.1f}"
        more = f"; noisiest: {row['noisiest']} ({row['noise']})" if row["noise"] else ""
        more += f"; the only cover of {', '.join(sorted(alone))}" if alone else ""
        numbers = f"{row['true']:>5} {row['false']:>5} {row['open']:>5} {took:>6}"
        print(plain(f"{word:<7} {share:<20} {numbers}  {titles[row['title']]}{more}", 200))
    return 0
