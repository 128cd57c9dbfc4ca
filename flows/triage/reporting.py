"""Reports as files: one that somebody asks for, or those of the province and of each organisation after a period."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.store import Store
from connectors.store_wanted import Wanted
from detectors.attack import attack
from flows import assembly
from flows.settings import Settings
from flows.triage import duties
from flows.triage.periodic import Period, bounds, report
from flows.triage.sheet import Sheet, write
from flows.triage.shift import Voice


def covered(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the techniques of each rule that runs."""
    return {meta.id: frozenset(attack(meta.tags).techniques) for meta in assembly.load_rules(settings, []).metas()}


def made(
    settings: Settings,
    store: Store,
    period: Period,
    day: datetime,
    *,
    now: datetime,
    by: str,
    lang: str | None = None,
    organisation: str | None = None,
) -> Sheet:
    """Return the report of the week or month that holds a day."""
    return report(
        store,
        duties.read(settings.triage.duties),
        covered(settings),
        Voice(lang or settings.language, ZoneInfo(settings.zone)),
        period=period,
        day=day,
        now=now,
        by=by,
        organisation=organisation,
    )


def after(settings: Settings, store: Store, period: Period, now: datetime, by: str) -> Iterator[Path]:
    """Write the reports of the week or month that ended last; yield the files, which are written anew."""
    begin, _ = bounds(period, now, ZoneInfo(settings.zone))
    day = begin - timedelta(hours=1)
    first, end = bounds(period, day, ZoneInfo(settings.zone))
    folder = settings.triage.reports
    folder.mkdir(parents=True, exist_ok=True)
    for organisation in (None, *sorted(store.organisations(Wanted(since=first, until=end)))):
        name = f"{period}-{first:%Y-%m-%d}" + (f"-{_safe(organisation)}" if organisation else "") + ".html"
        write(made(settings, store, period, day, now=now, by=by, organisation=organisation), folder / name)
        yield folder / name


def _safe(name: str) -> str:
    """Return a name as part of a file's: logs may claim any organisation."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80]
