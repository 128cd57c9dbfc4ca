"""`soc verdicts`: how right each rule was, how noisy and where, how long triage took, and what to do with it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from flows.commands.options import add_config, moment, read_config
from flows.documents import write_lines
from flows.terminal import plain
from flows.triage.opening import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--days", type=int, default=90, metavar="N", help="findings of so many days (default: 90)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it were this time (default: now)")
    parser.add_argument("--pull", action="store_true", help="tell also how much was new in Elasticsearch and Kibana")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write all numbers, one JSON document a line")


def run(args: argparse.Namespace) -> int:
    """Judge the rules and print what to do."""
    from detectors.attack import attack  # noqa: PLC0415 - other verbs need none of it
    from detectors.verdicts import advise, judged  # noqa: PLC0415
    from flows import assembly  # noqa: PLC0415
    from flows.triage import reckoning, returning  # noqa: PLC0415

    settings = read_config(args)
    with opened(settings, fresh=False) as store:
        new = returning.bring(settings, store)
        if args.pull:
            print(f"{new.findings:,} new findings, {new.verdicts:,} new verdicts", file=sys.stderr)
        findings = reckoning.recent(store, args.at or datetime.now(UTC), args.days)
        rules = judged(findings, reckoning.decisions(store))
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
        print(plain(f"{word:<7} {share:<20} {numbers}  {row['title']}{more}", 200))
    return 0
