"""The program's stages against plain loops that do the least such a stage must do, in one process, on one core.

Seconds differ between machines and hours; the ratio of two pieces of work done in turn hardly does.

    python -m tests.performance.ratios [--runs N] [--renew]
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

import orjson
import polars as pl
import yaml
from evtx import PyEvtxParser

from connectors.evtx_chunks import CHUNK
from connectors.evtx_log import HEADER
from connectors.evtx_worker import plausible
from connectors.simulator.write import write
from detectors.contracts import Batch, Dialect, Hits, Parsed
from detectors.sigma.engine import Engine
from detectors.sigma.predicates import TEXT_OPS, predicates
from detectors.sigma.rule import Rule, encode_rule
from flows import ruleset
from flows.bench import clones
from flows.bench.clock import spent
from flows.bench.fresh import on_one_core
from flows.bench.twin import Twin
from flows.bench.work import Work, parsers
from tests.conftest import REFERENCE

BASELINES = Path(__file__).with_name("baselines.yml")
RULES = 1_000  # clones of the program's own
ROUNDS = 15
ROUND = 0.03  # seconds of processor time that a round takes at least
TIMES = 3  # the chunks there are, so that starting processes takes a small part only
ACCESS = r'^(\S+) \S+ (\S+) \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d+) (\S+) "([^"]*)" "([^"]*)"'

Job = Callable[[], object]
Pairs = Iterator[tuple[str, Job, Job]]  # a name, a stage, and the loop it is measured against


def ratios(pairs: Callable[[Path], Pairs]) -> dict[str, float]:
    """Return how many times as long as its loop each stage takes, as a process with one thread measures it."""
    return on_one_core(_measured, pairs)


def simulated(folder: Path) -> Pairs:
    """Yield what can be measured on simulated logs and clones of the program's rules."""
    clones.write([ruleset.own_rules()], RULES, folder / "rules")
    logs = write(folder / "logs", 1, date(2026, 3, 9), 1).folder
    work = Work((logs / "windows", logs / "portal"), (folder / "rules",), cache=folder / "cache")
    parts = work.parts()
    rules, known = parts.engine.rules, parsers(parts)
    stored = orjson.dumps([encode_rule(rule) for rule in rules])
    yield "load rules", work.load_rules, lambda: orjson.loads(stored)
    for batch in work.batches(parts):
        parser = known[batch.source]
        wanted = parts.engine.wanted(parser.dialect)
        parsed = parser.parse(batch, wanted)
        plain = {"windows": _read_json, "portal": _read_access}[batch.source]
        yield f"parse {batch.source}", partial(parser.parse, batch, wanted), partial(plain, batch, wanted)
        parts.engine.detect(parser.dialect, parsed.events, parsed.encoded)  # compiles what is compiled once
        match = partial(_match, parts.engine, parser.dialect, parsed)
        yield f"match {batch.source}", match, _search(rules, parsed.frame())


def event_logs(folder: Path) -> Pairs:
    """Yield the reading and parsing of one large event log, made of the chunks of all those of the reference."""
    contents = [path.read_bytes() for path in sorted((REFERENCE / "evtx").rglob("*.evtx"))]
    chunks = [content[at : at + CHUNK] for content in contents for at in range(HEADER, len(content), CHUNK)]
    log = folder / "large.evtx"
    log.write_bytes(b"".join([contents[0][:HEADER], *filter(plausible, chunks * TIMES)]))
    work = Work((log,), (ruleset.own_rules(),), cache=folder / "cache")
    parts = work.parts()
    parser = parsers(parts)["windows"]
    wanted = parts.engine.wanted(parser.dialect)
    yield (
        "read and parse evtx",
        lambda: [parser.parse(batch, wanted) for batch in work.batches(parts)],
        lambda: sum(1 for _ in PyEvtxParser(str(log)).records_json()),
    )


def _measured(pairs: Callable[[Path], Pairs]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: _ratio(stage, loop) for name, stage, loop in pairs(Path(folder))}


def _ratio(stage: Job, loop: Job) -> float:
    """Compare them in short rounds, one right after the other: a busy machine slows both of a round alike."""
    gc.disable()
    rounds = [_seconds(stage) / _seconds(loop) for _ in range(ROUNDS)]
    gc.enable()
    return median(rounds)


def _seconds(job: Job) -> float:
    """Return the processor time of doing a job once, measured over as many times as fill a round."""
    begin, done = spent(), 0
    while done == 0 or spent() - begin < ROUND:
        job()
        done += 1
    return (spent() - begin) / done


def _match(engine: Engine, dialect: Dialect, parsed: Parsed) -> Hits:
    return Twin(engine).detect(dialect, parsed.events, parsed.encoded)


def _read_json(batch: Batch, wanted: Collection[str]) -> pl.DataFrame:
    lines = "\n".join(batch.records["event.original"]).encode()
    return pl.read_ndjson(lines, schema=dict.fromkeys(sorted(wanted), pl.String))


def _read_access(batch: Batch, _: Collection[str]) -> pl.DataFrame:
    return batch.records["event.original"].str.extract_groups(ACCESS).struct.unnest()


def _search(rules: Iterable[Rule], events: pl.DataFrame) -> Job:
    """Return a search of every text column for all the texts that rules look for there."""
    needles = defaultdict[str, set[str]](set)
    for rule in rules:
        for predicate in predicates(rule.condition):
            if predicate.op in TEXT_OPS and predicate.field in events.columns:
                needles[predicate.field].update(predicate.values)
    asked = [(events[name].cast(pl.String), sorted(texts)) for name, texts in needles.items()]
    return lambda: [column.str.to_lowercase().str.contains_any(texts).sum() for column, texts in asked]


def baselines() -> dict[str, float]:
    """Return the ratios that the program had when it was as fast as it should be."""
    known: dict[str, float] = yaml.safe_load(BASELINES.read_text("utf-8"))
    return known


def main() -> None:
    """Measure some times, and print of each ratio: its baseline, the least, the median and the most."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("--runs", type=int, default=10)
    arguments.add_argument("--renew", action="store_true", help="make the medians the baselines")
    args = arguments.parse_args()
    runs = [ratios(simulated) | ratios(event_logs) for _ in range(args.runs)]
    measured = {name: sorted(run[name] for run in runs) for name in runs[0]}
    for name, found in measured.items():
        print(f"{name:<22}{baselines().get(name, 0):8.2f}{found[0]:8.2f}{median(found):8.2f}{found[-1]:8.2f}")
    if args.renew:
        head = BASELINES.read_text("utf-8").partition("\n\n")[0]
        made = {name: round(median(found), 2) for name, found in measured.items()}
        BASELINES.write_text(f"{head}\n\n{yaml.safe_dump(made, sort_keys=False)}", "utf-8")


if __name__ == "__main__":
    main()
