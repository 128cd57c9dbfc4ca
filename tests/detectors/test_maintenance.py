"""Which hits maintenance silences: by the time of the event, the host, the organisation, the rule and its level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from detectors.contracts import Hits
from detectors.findings import Detection
from detectors.maintenance import Calendar, Window
from detectors.meta import Meta
from detectors.schema import TIME

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window("Patches", NOON, NOON + HOUR)
RULES = [Detection(Meta("R-1", "Odd Thing", level), "s", "sigma") for level in ("high", "critical")]


def silenced(
    *windows: Window,
    times: Sequence[datetime | None],
    rule: int = 0,
    columns: Mapping[str, list[str | None]] | None = None,
) -> list[int]:
    frame = pl.DataFrame({"@timestamp": pl.Series(times, dtype=TIME), **(columns or {})})
    rows = np.arange(frame.height)
    found = Calendar(windows).silenced(frame, Hits(np.full(rows.size, rule, np.int32), rows), RULES)
    assert set(found.values()) <= {f"maintenance: {window.name}" for window in windows}
    return sorted(found)


def test_the_time_of_the_event_decides() -> None:
    end = NOON + HOUR
    tick = timedelta(microseconds=1)
    assert silenced(WINDOW, times=[NOON - tick, NOON, end - tick, end, None]) == [1, 2]


def test_a_window_may_come_again_until_it_ends() -> None:
    daily = replace(WINDOW, every=timedelta(days=1), until=NOON + timedelta(days=2))
    days = [NOON + timedelta(days=day, minutes=30) for day in (-1, 0, 1, 2)]
    assert silenced(daily, times=days) == [1, 2]
    assert silenced(replace(daily, until=None), times=days) == [1, 2, 3]
    assert silenced(daily, times=[time + HOUR for time in days]) == []


def test_hosts_may_have_wildcards_and_must_be_known() -> None:
    web = replace(WINDOW, hosts=("web*", "db?"))
    names = ["WEB01", "web", "db1", "db12", "xweb01", None]
    assert silenced(web, times=[NOON] * 6, columns={"host.name": names}) == [0, 1, 2]
    assert silenced(web, times=[NOON]) == []


def test_organisations_are_known_by_id_or_name() -> None:
    of = replace(WINDOW, organisations=frozenset({"so.tp"}))
    assert silenced(of, times=[NOON] * 3, columns={"organization.name": ["SO.TP", "soxtp", None]}) == [0]
    assert silenced(of, times=[NOON] * 2, columns={"organization.id": ["so.tp", "x"]}) == [0]
    assert silenced(of, times=[NOON]) == []


@pytest.mark.parametrize(("names", "found"), [({"r-1"}, [0]), ({"odd thing"}, [0]), ({"r-2"}, [])])
def test_rules_are_known_by_id_or_title(names: set[str], found: list[int]) -> None:
    assert silenced(replace(WINDOW, rules=frozenset(names)), times=[NOON]) == found


def test_what_is_critical_is_told_all_the_same() -> None:
    assert silenced(WINDOW, times=[NOON], rule=1) == []
    assert silenced(replace(WINDOW, level="critical"), times=[NOON], rule=1) == [0]


def test_the_first_window_gives_the_reason() -> None:
    frame = pl.DataFrame({"@timestamp": pl.Series([NOON], dtype=TIME)})
    hits = Hits(np.zeros(1, np.int32), np.zeros(1, np.int64))
    calendar = Calendar([replace(WINDOW, name="first"), replace(WINDOW, name="second")])
    assert calendar.silenced(frame, hits, RULES) == {0: "maintenance: first"}


def test_without_windows_nothing_is_asked() -> None:
    assert Calendar().wanted == frozenset()
    assert silenced(times=[NOON]) == []
