"""`soc bench`: how fast logs are read, parsed and matched, where the time goes, and how it grows."""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

import orjson

from connectors.simulator.write import write
from flows.bench import correlations, formats
from flows.bench.collecting import collecting
from flows.bench.collecting import shown as collected
from flows.bench.flame import flame
from flows.bench.fresh import fresh, on_one_core
from flows.bench.growth import growth
from flows.bench.plots import plots
from flows.bench.profile import profile
from flows.bench.scans import scans, shown
from flows.bench.work import Work
from flows.commands.options import add_config, add_rules
from flows.commands.simulate import START


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="logs (default: two simulated days); `anomaly [DIR]`: labelled sets below DIR, or simulated behaviour",
    )
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="counted scans after one warm-up (default: 5)")
    parser.add_argument("--out", type=Path, metavar="F.json", help="write the figures (not of --flame)")
    parser.add_argument("--seed", type=int, default=23, metavar="N", help="of `anomaly` (default: 23)")
    parser.add_argument(
        "--size", type=int, nargs=3, default=(2_000, 300, 60), metavar="N", help="users, hosts, days of `anomaly`"
    )
    parser.add_argument(
        "--scale",
        type=int,
        nargs=2,
        metavar="N",
        help="of `anomaly`: memory and time of training with so many entities and days (20000 30, 1000000 15)",
    )
    parser.add_argument(
        "--quiet-days",
        type=int,
        metavar="N",
        help="of `anomaly`: what exact detectors tell of N days of routine and of log lines (42), the last 14 quiet",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--profile", action="store_true", help="instead of whole scans: time on one core by stage, field and rule"
    )
    what.add_argument(
        "--flame", type=Path, metavar="F.html", help="instead: a flame graph of one scan (.html, .json for speedscope)"
    )
    what.add_argument(
        "--collect", type=int, metavar="N", help="instead: lines a second of `soc collect` by transport, with N lines"
    )
    what.add_argument(
        "--formats",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="DIR",
        help="instead: events a second and core by source, of samples in DIR (<source>/*.json with `input`; default: "
        "a simulated day)",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="of --formats: only this source, and where its time goes (may be given several times)",
    )
    what.add_argument(
        "--growth", type=Path, metavar="DIR", help="instead: plots of how cost grows with rules, batches and events"
    )
    what.add_argument(
        "--correlations",
        type=int,
        nargs="?",
        const=1_000_000,
        metavar="N",
        help="instead: time and memory of correlations with N matches in one window (default: 1,000,000)",
    )


def _anomaly(args: argparse.Namespace) -> int:
    """Judge the anomaly detectors, or what training of many entities costs."""
    from connectors.simulator.behaviour import Size  # noqa: PLC0415 - both take long to import, and few want them
    from flows.bench import anomaly  # noqa: PLC0415

    if args.quiet_days:
        told = anomaly.quieted(args.quiet_days, args.seed)
    elif args.scale:
        told = fresh(anomaly.scaled, args.scale[0], args.scale[1])
    else:
        told = anomaly.run(args.paths[1:], Size(*args.size), seed=args.seed)
    if args.out:
        args.out.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return 0


def run(args: argparse.Namespace) -> int:
    """Measure in fresh processes, and print what was found."""
    if args.correlations:
        return _correlations(args.correlations, args.out)
    if args.paths and str(args.paths[0]) == "anomaly":
        return _anomaly(args)
    with tempfile.TemporaryDirectory(prefix="soc-bench-") as folder:
        if args.collect:
            _write(args.out, _collected(Path(folder), args.collect))
            return 0
        if args.formats:
            work = Work((), tuple(args.rules), args.config)
            speeds = on_one_core(formats.formats, work, args.formats, Path(folder), args.source)
            print(formats.shown(speeds))
            _write(args.out, speeds)
            return 0
        paths = args.paths or [write(Path(folder) / "logs", 1, START, 2).folder]
        work = Work(tuple(paths), tuple(args.rules), args.config)
        if args.flame:
            on_one_core(flame, work, args.flame)
            return 0
        figures = _figures(args, work, Path(folder))
    _write(args.out, figures)
    return 0


def _correlations(matches: int, out: Path | None) -> int:
    found = correlations.costs(matches)
    print(correlations.shown(found, matches))
    _write(out, correlations.documents(found))
    return 0


def _write(out: Path | None, figures: object) -> None:
    if out:
        out.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def _collected(folder: Path, lines: int) -> object:
    """Print what collecting came to, and return it as plain data."""
    measured = collecting(folder, lines)
    print(collected(measured))
    return measured


def _figures(args: argparse.Namespace, work: Work, folder: Path) -> object:
    """Print what was measured, and return it as plain data."""
    if args.profile:
        profiled = on_one_core(profile, work)
        print(profiled)
        return profiled.document()
    if args.growth:
        grown = growth(work, folder, partial(print, file=sys.stderr))
        print(grown)
        args.growth.mkdir(parents=True, exist_ok=True)
        for name, chart in plots(grown).items():
            (args.growth / f"{name}.svg").write_text(chart.svg(), "utf-8")
        return grown.document()
    runs = scans(work, args.runs, folder)
    print(shown(runs))
    return runs
