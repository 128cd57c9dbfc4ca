"""`soc scan`: findings of any files or folders of logs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import polars as pl

from connectors.archive import Archive
from connectors.files import expect
from connectors.nested import nest
from connectors.parsers import Parsers
from connectors.recognise import recogniser
from connectors.store import Store
from detectors.errors import UsageError
from detectors.findings import Found, nothing
from detectors.schema import LEVELS
from flows import assembly, blindness, protecting, results
from flows.commands.options import add_config, add_rules, read_config, zone
from flows.documents import write_lines
from flows.match_process import Beside, processes
from flows.match_worker import Job
from flows.progress import progress
from flows.scanning import Scanned, scan
from flows.settings import Settings
from flows.table import print_findings
from flows.terminal import counted, plain

SHOWN_FAULTS = 20
LONG = timedelta(days=21)  # of one kind of log; in less nobody knows what is usual


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder; .gz .zst .zip .tar.gz too")
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--source", metavar="NAME", help="source definition of all files (default: told by content)")
    parser.add_argument(
        "--zone", type=zone, metavar="Z", help="time zone of times without one: Asia/Ho_Chi_Minh, +07:00"
    )
    parser.add_argument("--year", type=int, metavar="Y", help="year of times without one")
    parser.add_argument("--out", type=Path, metavar="F.ndjson", help="write findings, one JSON document a line")
    parser.add_argument("--matches", type=Path, metavar="F.ndjson", help="write matches, one JSON document a line")
    parser.add_argument("--dead", type=Path, metavar="F.ndjson", help="write lines that could not be read")
    parser.add_argument("--report", type=Path, metavar="F.html", help="write a self-contained HTML report")
    parser.add_argument("--stats", type=Path, metavar="F.json", help="write statistics")
    parser.add_argument("--lang", choices=("en", "vi"), help="language of the report (default: that of the settings)")
    parser.add_argument("--keep", action="store_true", help="keep findings and raw records in the store and archive")
    parser.add_argument(
        "--processes",
        type=int,
        metavar="N",
        help="parse and match in so many (default: 2 for half a gigabyte of text or more, else 1; with --keep 1)",
    )
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows of the table (default: 20)")
    parser.add_argument(
        "--no-anomaly",
        action="store_true",
        help="Sigma rules only; without it, three weeks of a kind of log are learnt from",
    )
    parser.add_argument("--fail-on", choices=LEVELS, metavar="LEVEL", help="exit 1 when a finding is this severe")


def run(args: argparse.Namespace) -> int:
    """Scan, write what was asked for, and print the table."""
    expect(args.paths)
    settings = read_config(args)
    with ExitStack() as stack:
        job = Job(settings, args.rules, args.year, args.zone)
        beside = [stack.enter_context(Beside(job)) for _ in range(_processes(args) - 1)]
        parts = assembly.assemble(settings, args.rules)
        store = _store(args, settings, stack)
        archive = Archive(settings.archive) if args.keep else None
        shown = stack.enter_context(progress("scanning"))
        parsers = Parsers(parts.definitions, year=args.year, zone=args.zone, enrichment=parts.enrichment)
        guard = protecting.guard(settings, parts.definitions)
        done = scan(
            args.paths,
            parts,
            store,
            source=args.source,
            archive=archive,
            parsers=parsers,
            report=shown,
            guard=guard,
            ledger=args.keep,
            beside=beside,
        )
        strange = _anomalies(args, settings, done, parsers, guard)
        store.findings(strange.findings)
        store.matches(strange.matches)
        blind = len(blindness.blind(parts.rules.rules, parts.definitions, done.statistics.by_source))
        findings = _write(args, settings, store, {**done.document(), "rules_blind": blind})
    print_findings(findings, rows=args.rows, zone=ZoneInfo(settings.zone))
    _tell(done, blind)
    for words in guard.watch.words if guard.watch else ():
        print(f"soc: {plain(words)}", file=sys.stderr)
    if args.fail_on and (findings["soc.level"].is_in(LEVELS[LEVELS.index(args.fail_on) :])).any():
        return 1
    seen = done.statistics
    return 3 if done.outcome.faults or done.parts.faults or seen.failed_rules or seen.parse_failures else 0


def _processes(args: argparse.Namespace) -> int:
    """Return how many processes parse and match."""
    if args.processes is None:
        return 1 if args.keep else processes(args.paths)
    count: int = args.processes
    if count < 1:
        raise UsageError(f"--processes {count} is too few", fix="give 1 or more")
    if count > 1 and args.keep:
        raise UsageError(f"--processes {count} doesn't go with --keep", fix="what is kept goes through one process")
    return count


def _anomalies(
    args: argparse.Namespace,
    settings: Settings,
    done: Scanned,
    parsers: Parsers,
    guard: protecting.Guard,
) -> Found:
    """Return what is out of the ordinary in files that hold weeks."""
    if args.no_anomaly or not any(last - first >= LONG for first, last in done.periods.values()):
        return nothing()
    from flows.anomaly.filescan import FileScan  # noqa: PLC0415 - what it needs takes long to import

    told = settings.model_copy(update={"language": args.lang or settings.language})
    files = FileScan(args.paths, told, parsers, recogniser(done.parts.definitions), args.source, protect=guard.batch)
    return files.anomalies(done.periods, lambda text: print(f"soc: {plain(str(text))}", file=sys.stderr))


def _store(args: argparse.Namespace, settings: Settings, stack: ExitStack) -> Store:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soc-scan-")) if not args.keep else ""
    store = Store(Path(folder, "store.sqlite"), passing=True) if folder else Store(settings.store)
    stack.callback(store.close)
    return store


def _write(args: argparse.Namespace, settings: Settings, store: Store, stats: dict[str, Any]) -> pl.DataFrame:
    """Write what was asked for; return all findings, as far as the table tells of them."""
    found = results.findings(store, args.out)
    if args.matches:
        results.matches(store, found, args.matches)
    if args.dead:
        write_lines(args.dead, (nest(row) for row in store.letters(limit=sys.maxsize).iter_rows(named=True)))
    if args.stats:
        args.stats.write_bytes(orjson.dumps(stats, option=orjson.OPT_INDENT_2))
    if args.report:
        from flows import report  # noqa: PLC0415 - templates take long to import, and few scans write a report

        title = ", ".join(path.name for path in args.paths)
        now = datetime.now(ZoneInfo(settings.zone))
        lang = args.lang or settings.language
        report.build(found, args.report, title=title, stats=stats, generated=now, lang=lang, whole=store.some)
    return found


def _tell(done: Scanned, blind: int) -> None:
    """Say on stderr what was read, and what could not be."""
    seen = done.statistics
    problems = [*done.parts.faults, *seen.failed_rules.values(), *done.outcome.faults]
    for fault in problems[:SHOWN_FAULTS]:
        print(f"soc: {plain(str(fault))}", file=sys.stderr)
    if len(problems) > SHOWN_FAULTS:
        print(f"soc: and {len(problems) - SHOWN_FAULTS} more faults", file=sys.stderr)
    for notice in [*map(str, done.outcome.notices[:SHOWN_FAULTS]), *seen.clocks[:SHOWN_FAULTS]]:
        print(f"soc: {plain(notice)}", file=sys.stderr)
    dead = f", {seen.parse_failures:,} lines could not be read" if seen.parse_failures else ""
    print(
        f"{seen.events:,} events of {done.outcome.files:,} files in {done.seconds:.1f} s, "
        f"{len(done.parts.rules):,} rules{dead}",
        file=sys.stderr,
    )
    if seen.excepted:
        count = f"{seen.excepted:,} {'match' if seen.excepted == 1 else 'matches'}"
        print(f"exceptions took {count}: `soc findings list --suppressed` after --keep shows them", file=sys.stderr)
    for reason, matches in seen.silenced.most_common():
        print(plain(f"{matches:,} matches without a finding: {reason}"), file=sys.stderr)
    if blind:
        print(f"{counted(blind)} blind on these sources: `soc rules blind` tells why", file=sys.stderr)
