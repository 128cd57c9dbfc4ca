"""The demo: a small province at work, attacked, and watched; embedded, under Prefect, without servers."""

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
from flows import assembly, report
from flows.commands.simulate import START
from flows.judging import matched_events
from flows.orchestration import create_markdown_artifact, flow, task
from flows.scanning import Scanned, scan
from flows.settings import Settings

TITLES = {
    "en": "Simulated province, {days} days from {start:%d %B %Y}",
    "vi": "Tỉnh mô phỏng, {days} ngày từ {start:%d/%m/%Y}",
}
MARK = ".soc-demo"  # says that a folder is the demo's own and may be replaced


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo found, and where it stands."""

    findings: pl.DataFrame
    score: Score
    scanned: Scanned
    report: Path
    lines: dict[str, int]  # of each source


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
def simulate(folder: Path, seed: int, days: int) -> Summary:
    """Write the province's logs."""
    return write(folder / "logs", seed, START, days)


@task
def detect(folder: Path, logs: list[Path]) -> Scanned:
    """Carry the logs through the pipeline into the demo's store and archive."""
    settings = Settings(cache=folder / "cache")
    store = Store(folder / "store.sqlite")
    try:
        return scan(logs, assembly.assemble(settings), store, archive=Archive(folder / "archive"))
    finally:
        store.close()


@task
def judge(folder: Path, truth: Path) -> tuple[pl.DataFrame, Score]:
    """Compare what was found with what was done."""
    store = Store(folder / "store.sqlite")
    try:
        findings = store.select(limit=1_000_000)
        return findings, score(read_truth(truth), matched_events(store, Archive(folder / "archive"), findings))
    finally:
        store.close()


@flow(name="demo")
def demo(folder: Path, seed: int, days: int, lang: str) -> Shown:
    """Run the main job once and leave everything in one folder."""
    prepare(folder)
    written = simulate(folder, seed, days)
    scanned = detect(folder, list(written.logs))
    findings, judged = judge(folder, written.truth)
    page = folder / "report.html"
    end = datetime.combine(START, datetime.min.time(), ZoneInfo("Asia/Ho_Chi_Minh")) + timedelta(days=days)
    title = TITLES[lang].format(start=START, days=days)
    report.build(findings, page, title=title, stats=scanned.document(), generated=end, lang=lang)
    create_markdown_artifact(_told(judged), key="demo", description="Attacks found and missed")
    return Shown(findings, judged, scanned, page, written.lines)


def _told(judged: Score) -> str:
    rows = [
        f"| {name} | {'found' if found else 'missed'} |"
        for name, found in judged.attacks.select("name", "found").iter_rows()
    ]
    return "\n".join(["| attack | outcome |", "|---|---|", *rows])
