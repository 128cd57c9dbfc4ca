"""Clocks and zones that are wrong, told by when events came."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.definitions import load_definitions
from connectors.lines import records
from detectors.contracts import Batch
from detectors.schema import TIME
from flows.clocks import Clocks, skews
from flows.sourcing.health import health

CAME = datetime(2026, 3, 9, 1, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def events(offsets: list[timedelta], sender: str = "10.1.2.3") -> pl.DataFrame:
    times = [CAME + offset - n % 3 * SECOND for n, offset in enumerate(offsets)]
    return pl.DataFrame(
        {"@timestamp": times, "event.created": [CAME] * len(times), "log.source.address": [sender] * len(times)},
        schema={"@timestamp": TIME, "event.created": TIME, "log.source.address": pl.String},
    )


@pytest.mark.parametrize(
    ("offsets", "told"),
    [
        ([timedelta(0)] * 40, None),
        ([7 * HOUR] * 40, ("+7 h", True)),
        ([-7 * HOUR] * 40, ("-7 h", True)),
        ([HOUR] * 40, ("+1 h", True)),  # a recorder in China's zone
        ([5.5 * HOUR] * 38 + [timedelta(0)] * 2, ("+5 h 30 min", True)),
        ([7 * HOUR] * 19, None),  # too few
        ([timedelta(minutes=12)] * 40, ("+12 min", False)),
        ([timedelta(days=-20_000)] * 40, ("-20000 d", False)),  # a clock that was never set
        ([n * -HOUR for n in range(40)], None),  # a file that was read late
        ([timedelta(0)] * 30 + [-7 * HOUR] * 10, None),
    ],
)
def test_whose_clock_is_off_is_told(offsets: list[timedelta], told: tuple[str, bool] | None) -> None:
    assert [(one.words(), one.zone) for one in skews(events(offsets))] == ([told] if told else [])


def test_each_sender_is_told_once_and_by_itself() -> None:
    clocks, batch = Clocks(), Batch("fortigate", "topic", "", records([], []), received=date(2026, 3, 9))
    both = pl.concat([events([timedelta(0)] * 40, "10.1.1.1"), events([7 * HOUR] * 40, "10.1.2.3")])
    (words,) = clocks.take(batch, both)
    assert words.startswith(
        "events of fortigate from 10.1.2.3 are dated 7 h ahead of when they came: their zone is another"
    )
    assert not list(clocks.take(batch, both))


def test_times_that_cannot_be_are_told_once() -> None:
    clocks, batch = Clocks(), Batch("nginx", "file:a", "", records([], []), received=date(2026, 3, 9))
    times = pl.Series("@timestamp", [CAME, None, datetime(2036, 1, 1, tzinfo=UTC)], TIME).to_frame()
    assert [words.partition(",")[0].partition(": ")[0] for words in clocks.take(batch, times)] == [
        "of 3 events of nginx 1 came without a time that can be read",
        "events of nginx are dated 2036-01-01 00:00 UTC",
    ]
    assert not list(clocks.take(batch, times))


def test_the_health_of_a_source_names_the_sender_whose_zone_is_another(tmp_path: Path) -> None:
    archive, lines = Archive(tmp_path), [f"line {n}" for n in range(40)]
    known = events([7 * HOUR] * 40)
    raw = records(lines, list(range(40)))
    batch = Batch("auth", "soc.raw.auth/0", "", raw.with_columns(known.get_columns()[1:]))
    place = raw.select("log.offset", "soc.index")
    archive.write(batch, pl.concat([place, known], how="horizontal"))
    (one,) = [each for each in health(archive, load_definitions(), CAME + HOUR) if each.source == "auth"]
    assert one.poor
    assert [skew.words() for skew in one.skewed] == ["+7 h"]
    assert "from 10.1.2.3 are dated 7 h ahead" in one.sentences()[0]
