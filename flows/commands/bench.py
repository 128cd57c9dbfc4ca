"""`soc bench`: how fast logs are read, parsed and matched, and what memory that takes."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson

from connectors.simulator.write import write
from flows.commands.options import add_config, add_rules
from flows.commands.simulate import START


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="logs (default: two simulated days)")
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="counted runs after one warm-up (default: 5)")
    parser.add_argument("--out", type=Path, metavar="F.json", help="write every run's statistics")


def run(args: argparse.Namespace) -> int:
    """Scan in fresh processes and print the median, the least and the most of each figure."""
    with tempfile.TemporaryDirectory(prefix="soc-bench-") as folder:
        paths = args.paths or [write(Path(folder) / "logs", 1, START, 2).folder]
        runs = [_scan(args, paths, Path(folder) / "stats.json") for _ in range(args.runs + 1)][1:]
    rows = {
        "events/s": [one["events_per_second"] for one in runs],
        "peak MB": [one["peak_rss_mb"] for one in runs],
        "seconds": [one["seconds"] for one in runs],
        **{f"  {stage}": [one["stages"].get(stage, 0.0) for one in runs] for stage in runs[0]["stages"]},
    }
    print(f"{runs[0]['events']:,} events, {runs[0]['rules_loaded']:,} rules, {len(runs)} runs")
    print(f"{'':<12}{'median':>12}{'min':>12}{'max':>12}")
    for name, values in rows.items():
        print(
            f"{name:<12}"
            + "".join(f"{figure:>12,.6g}" for figure in (statistics.median(values), min(values), max(values)))
        )
    if args.out:
        args.out.write_bytes(orjson.dumps(runs, option=orjson.OPT_INDENT_2))
    return 0


def _scan(args: argparse.Namespace, paths: list[Path], stats: Path) -> dict[str, Any]:
    """Run one scan in a process of its own, so that neither caches nor memory are inherited."""
    command = [sys.executable, "-m", "flows.cli", "scan", *map(str, paths), "--stats", str(stats)]
    for folder in args.rules:
        command += ["--rules", str(folder)]
    if args.config:
        command += ["--config", str(args.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if not stats.is_file():
        sys.stderr.write(done.stderr)
        raise SystemExit(done.returncode)
    read: dict[str, Any] = orjson.loads(stats.read_bytes())
    return read
