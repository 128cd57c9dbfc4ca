"""The demo: a small province at work, attacked, and watched; under Prefect, embedded or through servers."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from connectors.archive import Archive
from connectors.simulator.score import Score, read_truth, score
from connectors.simulator.write import Summary, write
from connectors.store import Store
from detectors.errors import UsageError
from flows import assembly, demoservers, report
from flows.commands.simulate import START
from flows.judging import matched_events, with_lines
from flows.orchestration import create_markdown_artifact, flow, task
from flows.playing import playing
from flows.progress import progress
from flows.ruleset import RuleSet
from flows.scanning import scan
from flows.settings import Settings
from flows.statistics import Statistics

TITLES = {
    "en": "Simulated province, {days} days from {start:%d %B %Y}",
    "vi": "Tỉnh mô phỏng, {days} ngày từ {start:%d/%m/%Y}",
}
HOME = ZoneInfo("Asia/Ho_Chi_Minh")
MARK = ".soc-demo"  # says that a folder is the demo's own and may be replaced


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be played, and how: `servers` are settings of Kafka and Elasticsearch, None for embedded."""

    seed: int = 1
    days: int = 3
    scenarios: tuple[str, ...] = ()  # of all attacks these only
    speed: float | None = None  # simulated seconds to a real one; None: as fast as can be
    servers: Settings | None = None
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo found, and where it stands."""

    findings: pl.DataFrame
    score: Score
    statistics: Statistics
    report: Path
    lines: dict[str, int]  # of each source


@dataclass(frozen=True, slots=True)
class Detected:
    """What the pipeline counted, the same as the report takes it, and the rules that ran."""

    statistics: Statistics
    document: dict[str, object]
    rules: RuleSet


@task
def prepare(folder: Path) -> None:
    """Empty the demo's folder, or make it; a folder that isn't the demo's is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(f"{folder} is not empty and not the demo's", fix="name another folder with --out")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


@task
def simulate(folder: Path, wanted: Wanted) -> Summary:
    """Write the province's logs; with servers every line goes into Kafka too."""
    with playing(wanted.speed, wanted.servers) as send, progress("simulating", sized=False) as told:
        return write(
            folder / "logs",
            wanted.seed,
            START,
            wanted.days,
            lambda share: told("simulating", int(100 * share), 100),
            scenarios=wanted.scenarios,
            send=send,
        )


@task
def detect(folder: Path, logs: list[Path]) -> Detected:
    """Carry the logs through the pipeline into the demo's store and archive."""
    settings = Settings(cache=folder / "cache")
    store = Store(folder / "store.sqlite")
    try:
        with progress("detecting") as told:
            parts = assembly.assemble(settings)
            scanned = scan(logs, parts, store, archive=Archive(folder / "archive"), report=told, ledger=True)
        return Detected(scanned.statistics, scanned.document(), parts.rules)
    finally:
        store.close()


@task
def detect_on_servers(folder: Path, servers: Settings) -> Detected:
    """Let the pipeline read Kafka until it has caught up; findings go to Elasticsearch."""
    done = demoservers.detect(folder, servers)
    seen = done.statistics
    failures = {"rules_loaded": len(done.parts.rules), "rules_failed": len(done.parts.rules.faults)}
    document: dict[str, object] = {"events": seen.events, "parse_failures": seen.parse_failures, **failures}
    return Detected(seen, document, done.parts.rules)


@task
def judge(folder: Path, truth: Path, rules: RuleSet, servers: Settings | None) -> tuple[pl.DataFrame, Score]:
    """Compare what was found with what was done."""
    archive = Archive(folder / "archive")
    if servers is not None:
        findings, matches = demoservers.found(servers)
        matched = with_lines(matches, archive, findings, rules)
        findings = findings.filter(pl.col("event.id").is_in(matched["soc.finding.id"].implode()))
        return findings, score(read_truth(truth), matched)
    store = Store(folder / "store.sqlite")
    try:
        findings = store.select(limit=1_000_000)
        return findings, score(read_truth(truth), matched_events(store, archive, findings, rules))
    finally:
        store.close()


@flow(name="demo")
def demo(folder: Path, wanted: Wanted) -> Shown:
    """Run the main job once and leave everything in one folder."""
    prepare(folder)
    written = simulate(folder, wanted)
    if wanted.servers is None:
        detected = detect(folder, list(written.logs))
    else:
        detected = detect_on_servers(folder, wanted.servers)
    findings, judged = judge(folder, written.truth, detected.rules, wanted.servers)
    page = folder / "report.html"
    end = datetime.combine(START, datetime.min.time(), HOME) + timedelta(days=wanted.days)
    title = TITLES[wanted.lang].format(start=START, days=wanted.days)
    attacks = told(judged)
    report.build(findings, page, title=title, stats=detected.document, generated=end, lang=wanted.lang, attacks=attacks)
    create_markdown_artifact(_artifact(judged), key="demo", description="Attacks found and missed")
    return Shown(findings, judged, detected.statistics, page, written.lines)


def told(judged: Score) -> list[report.Told]:
    """Return the attacks of a score as the report tells them."""
    steps = judged.steps.partition_by("attack", as_dict=True)
    return [
        report.Told(
            {"en": row["name"], "vi": row["vi"]},
            row["start"],
            row["delay"],
            [*steps[row["attack"],].select("soc.finding.id", "first").iter_rows()] if row["found"] else [],
        )
        for row in judged.attacks.iter_rows(named=True)
    ]


def _artifact(judged: Score) -> str:
    rows = [
        f"| {name} | {'found' if found else 'missed'} |"
        for name, found in judged.attacks.select("name", "found").iter_rows()
    ]
    return "\n".join(["| attack | outcome |", "|---|---|", *rows])
