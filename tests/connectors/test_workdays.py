"""The work calendar: days, hours, and what can't be."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from connectors import workdays
from detectors.errors import DefinitionError
from detectors.workdays import Hours

CALENDAR = workdays.read(hours={"late": Hours((time(8), time(12)), (time(13), time(20)))}, duty=["soc"])


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 2, 13), "working"),
        (date(2026, 2, 14), "holiday"),
        (date(2026, 2, 17), "tet"),
        (date(2026, 1, 2), "holiday"),
        (date(2026, 1, 10), "swapped"),
        (date(2026, 1, 11), "rest"),
        (date(2026, 11, 24), "holiday"),
        (date(2025, 11, 24), "working"),  # no holiday yet
        (date(2031, 5, 1), "holiday"),  # nobody entered that year
        (date(2031, 5, 3), "rest"),
    ],
)
def test_kinds_of_days(day: date, kind: str) -> None:
    assert CALENDAR.day(day) == kind


@pytest.mark.parametrize(
    ("local", "unit", "hours", "off"),
    [
        ("2026-11-23T08:00+07:00", None, "office", "false"),
        ("2026-11-23T12:00+07:00", None, "lunch", "false"),
        ("2026-11-23T18:00+07:00", None, "evening", "true"),
        ("2026-11-23T18:00+07:00", "late", "office", "false"),
        ("2026-11-23T23:30+07:00", "soc", "night", "false"),
        ("2026-11-24T08:00+07:00", None, "day", "true"),  # a holiday
        ("2026-11-23T00:30+00:00", None, "office", "false"),  # 07:30 here
        ("2026-01-10T08:00+07:00", None, "office", "false"),  # a Saturday that is worked
    ],
)
def test_parts_of_days(local: str, unit: str | None, hours: str, off: str) -> None:
    time_ = pl.Series([datetime.fromisoformat(local).astimezone(UTC), None]).cast(pl.Datetime("us", "UTC"))
    told = CALENDAR.columns(time_, pl.Series([unit, None], dtype=pl.String))
    assert told.rows() == [(CALENDAR.day(datetime.fromisoformat(local).date()), hours, off), (None, None, None)]
    assert CALENDAR.off(datetime.fromisoformat(local), unit) == (off == "true")


def test_working_days_are_counted_over_tet() -> None:
    assert CALENDAR.working_days(date(2026, 2, 13), 1) == date(2026, 2, 23)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("holidays: [{from: 2030-01-05, to: 2030-01-03}]", "2030.yml:2:12: days off end on 2030-01-03, before they"),
        ("holidays: [{from: 2031-01-05}]", "2031-01-05 is no day of 2030"),
        ("holidays: [{from: 2030-01-01}, {from: 2030-01-01}]", "2030-01-01 is off already by entry 1"),
        ("worked: [2030-01-02]", "2030-01-02 is a Wednesday, which is worked anyway"),
        ("holidays: [{from: 2030-01-05}]\nworked: [2030-01-05]", "2030-01-05 is both off and worked"),
        ("tet: {from: 2030-02-02}", "2030-02-02 is of Tết but not off"),
        ("holiday: []", "2030.yml:2:1: unknown key `holiday`; did you mean `holidays`?"),
    ],
)
def test_an_impossible_calendar_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "2030.yml").write_text(f"year: 2030\n{text}\n")
    faults: list[DefinitionError] = []
    workdays.read(tmp_path, told=faults.append)
    assert told in "\n".join(map(str, faults))
