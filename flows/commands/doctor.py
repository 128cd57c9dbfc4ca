"""`soc doctor`: every part looked at; each line says OK, or what to do."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.definitions import BUILT_IN, load_definitions
from connectors.elastic.client import connect
from connectors.elastic.setup import check as check_elastic
from connectors.kafka import topics
from connectors.store import Store
from dashboards.templates import bodies, read
from detectors.errors import SocError, UnavailableError, UsageError
from flows import assembly, enriching, maintenance, running
from flows.collecting import checks as collectchecks
from flows.commands.options import add_config, read_config
from flows.settings import Settings
from flows.terminal import plain

PATIENCE = 5.0  # seconds to wait for a server
LEAST_FREE = 2 * 10**9  # bytes
BUILT = 1767225600  # 2026-01-01: a clock before this is wrong

Check = tuple[str, SocError | None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of soc.yml instead")


def run(args: argparse.Namespace) -> int:
    """Print one line per check; 3 when any needs somebody."""
    if args.schema:
        print(json.dumps(Settings.model_json_schema(), indent=2))
        return 0
    failed = 0
    for what, fault in checks(args):
        failed += fault is not None
        told = "OK" if fault is None else f"{fault.message}{f' → {fault.fix}' if fault.fix else ''}"
        print(plain(f"{'ok  ' if fault is None else 'FAIL'}  {what}: {told}"))
    print(f"{failed} checks need somebody" if failed else "all is well", file=sys.stderr)
    return 3 if failed else 0


def checks(args: argparse.Namespace) -> Iterator[Check]:
    """Yield what was looked at and the fault found there, if any; settings that can't be read end it."""
    try:
        settings = read_config(args)
    except UsageError as fault:
        yield "settings", fault
        return
    where = args.config or (Path("soc.yml") if Path("soc.yml").is_file() else "defaults (no soc.yml here)")
    yield f"settings, {where}", None
    yield from _definitions(settings)
    yield from _rules(settings)
    yield from _enrichment(settings)
    yield from _store(settings)
    for name, folder in (("archive", settings.archive), ("cache", settings.cache)):
        yield _folder(name, folder)
    yield _disk(settings.archive)
    yield _clock()
    yield from _servers(settings)
    yield from collectchecks.checks(settings)


def _definitions(settings: Settings) -> Iterator[Check]:
    try:
        known = load_definitions([BUILT_IN, *settings.sources])
    except SocError as fault:
        yield "source definitions", fault
    else:
        yield f"{len(known)} source definitions", None


def _rules(settings: Settings) -> Iterator[Check]:
    try:
        rules = assembly.load_rules(settings)
        calendar, faults = maintenance.read(settings.maintenance, ZoneInfo(settings.zone))
    except SocError as fault:
        yield "rules", fault
        return
    none = UsageError("there is no rule to run", fix="set `rules:` in soc.yml")
    yield f"{len(rules.rules):,} rules", None if rules.rules else none
    if rules.faults:
        first = rules.faults[0]
        yield f"{len(rules.faults):,} rules left out", UsageError(f"the first: {first}", fix="see `soc rules check`")
    if settings.maintenance is not None:
        yield f"{len(calendar.windows):,} maintenance windows", faults[0] if faults else None


def _enrichment(settings: Settings) -> Iterator[Check]:
    """Tell how much is registered, and each thing of it that is left out."""
    known = enriching.load(settings)
    registered = known.organisations.registry
    yield (
        f"{len(registered.units):,} units, {len(registered.networks):,} networks, {len(registered.assets):,} machines "
        f"and {len(registered.users):,} accounts registered, {len(known.lists.prefixes):,} address lists",
        None,
    )
    yield from (("enrichment: a part is left out", fault) for fault in known.faults)


def _store(settings: Settings) -> Iterator[Check]:
    if settings.elastic.url:
        return
    try:
        store = Store(settings.store)
        counts = store.counts()
        store.close()
    except (SocError, OSError) as fault:
        yield f"store {settings.store}", fault if isinstance(fault, SocError) else UsageError(str(fault))
    else:
        yield f"store {settings.store} ({counts['findings']:,} findings, {counts['dead']:,} dead letters)", None


def _folder(name: str, folder: Path) -> Check:
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    writable = os.access(existing, os.W_OK)
    fault = UsageError(f"{existing} can't be written", fix=f"give this user the folder, or set `{name}:`")
    return f"{name} {folder}", None if writable else fault


def _disk(folder: Path) -> Check:
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    fault = UsageError("less than 2 GB free", fix="delete old partitions of the archive, or move it")
    return f"{free / 1e9:,.0f} GB free at {existing}", fault if free < LEAST_FREE else None


def _clock() -> Check:
    now = time.time()
    fault = UsageError("the clock is wrong", fix="set it, and keep it by NTP")
    return f"clock {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(now))}", fault if now < BUILT else None


def _servers(settings: Settings) -> Iterator[Check]:
    if settings.kafka.servers:
        try:
            connection = replace(running.kafka(settings), patience=PATIENCE)
            yield from topics.check(connection, sorted({*settings.kafka.sources, *settings.collect.sources}))
        except SocError as fault:
            yield "Kafka", fault
    if settings.elastic.url:
        try:
            client = connect(running.cluster(settings))
            yield from check_elastic(client, bodies(read()))
        except (SocError, ValueError) as fault:
            yield "Elasticsearch", fault if isinstance(fault, SocError) else UnavailableError(str(fault))
    if not settings.kafka.servers and not settings.elastic.url:
        yield "servers: none set, embedded mode", None
