"""How well our rules do on provinces they have not seen, and what each source is watched by (for maintainers).

python -m tests.recall --seeds 101 102 103     # per attack: found or missed and after how long; false findings
python -m tests.recall --sources [--rules DIR]  # per source: simulated or not, our rules, live and blind ones of DIR
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from connectors.archive import Archive
from connectors.definitions import load_definitions
from connectors.simulator import SOURCES, Score, load, read_truth, score, write
from connectors.store import Store
from flows import assembly, blindness
from flows.judging import matched_events
from flows.ruleset import load as load_rules
from flows.ruleset import own_rules
from flows.scanning import scan
from flows.settings import Settings

START, DAYS = date(2026, 3, 16), 3  # a week after the demo's


def judge(seed: int) -> tuple[Score, int]:
    """Simulate a province, scan it with our rules, and return the score and how many events there were."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        summary = write(folder / "logs", seed, START, DAYS)
        store, archive = Store(folder / "store.sqlite"), Archive(folder / "archive")
        try:
            parts = assembly.assemble(Settings(cache=folder / "cache"))
            scan(list(summary.logs), parts, store, archive=archive)
            found = matched_events(store, archive, store.select(limit=1_000_000), parts.rules)
            return score(read_truth(summary.truth), found), sum(summary.lines.values())
        finally:
            store.close()


def scenarios(seeds: Sequence[int]) -> Iterable[str]:
    """Yield the table of attacks, and how often there was a false alarm."""
    outcomes = [judge(seed) for seed in seeds]
    yield "attack".ljust(26) + "".join(f"{seed:>10}" for seed in seeds)
    for name in outcomes[0][0].attacks["attack"]:
        rows = (each.attacks.row(by_predicate=pl.col("attack") == name, named=True) for each, _ in outcomes)
        told = (f"{row['delay'].total_seconds():8.0f} s" if row["found"] else "missed" for row in rows)
        yield name.ljust(26) + "".join(each.rjust(10) for each in told)
    for seed, (each, events) in zip(seeds, outcomes, strict=True):
        wrong, units = each.false_findings, len(load().units)
        rates = f"{1_000 * wrong / events:.2f} per 1,000 events, {wrong / units / DAYS:.1f} per organisation and day"
        yield f"{seed}: {each.found} of {each.attacks.height} found; {wrong} false findings: {rates}"


def sources(folders: Sequence[Path]) -> Iterable[str]:
    """Yield the table of sources."""
    own, others = load_rules([own_rules()]).rules, load_rules(folders).rules
    yield f"{'source':<20}{'simulated':>10}{'own':>6}{'live':>7}{'blind':>7}"
    for name, definition in sorted(load_definitions().items()):
        ours, theirs = (blindness.look(rules, definition).whole for rules in (own, others))
        played = "yes" if name in SOURCES else ""
        yield f"{name:<20}{played:>10}{len(ours.live):>6}{len(theirs.live):>7}{len(theirs.blind):>7}"


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[101, 102, 103])
    parser.add_argument("--sources", action="store_true")
    parser.add_argument("--rules", type=Path, nargs="*", default=[])
    args = parser.parse_args()
    for text in sources(args.rules) if args.sources else scenarios(args.seeds):
        print(text)


if __name__ == "__main__":
    main()
