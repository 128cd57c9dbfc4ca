"""Whole scans, each in a process of its own: the figures that users see."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from flows.bench.table import table
from flows.bench.work import Work

Scan = dict[str, Any]  # the document of `soc scan --stats`


def scans(work: Work, runs: int, folder: Path) -> list[Scan]:
    """Return the statistics of some scans, after one that only warms the caches of rules and files."""
    return [_scan(work, folder / f"stats-{number}.json") for number in range(runs + 1)][1:]


def shown(runs: list[Scan]) -> str:
    """Return the median, the least and the most of each figure."""
    rows = {
        "events/s": [one["events_per_second"] for one in runs],
        "peak MB": [one["peak_rss_mb"] for one in runs],
        "seconds": [one["seconds"] for one in runs],
        "first finding": [one["first_finding_seconds"] or 0.0 for one in runs],  # since the process was started
        **{f"  {stage}": [one["stages"].get(stage, 0.0) for one in runs] for stage in runs[0]["stages"]},
    }
    figures = [(name, statistics.median(values), min(values), max(values)) for name, values in rows.items()]
    head = f"{runs[0]['events']:,} events, {runs[0]['rules_loaded']:,} rules, {len(runs)} runs"
    return f"{head}\n{table(('', 'median', 'min', 'max'), figures)}"


def _scan(work: Work, stats: Path) -> Scan:
    """Run one scan as users do."""
    command = [sys.executable, "-m", "flows.cli", "scan", *map(str, work.paths), "--stats", str(stats)]
    for folder in work.rules:
        command += ["--rules", str(folder)]
    if work.config:
        command += ["--config", str(work.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if not stats.is_file():
        sys.stderr.write(done.stderr)
        raise SystemExit(done.returncode)
    read: Scan = orjson.loads(stats.read_bytes())
    return read
