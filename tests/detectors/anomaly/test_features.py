"""Features: the same for any way to cut a period, and never from the window they are about to judge, or a later one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.anomaly import featureset
from detectors.anomaly.baseline import ENOUGH, FARTHEST, deviations
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.measure import measure
from detectors.anomaly.tally import added, tally
from detectors.errors import DefinitionError

CALENDAR = WorkCalendar(ZoneInfo("Asia/Ho_Chi_Minh"))
LOGONS = featureset.load()["logons"]
START = datetime(2026, 3, 1, 17, tzinfo=UTC)  # Monday 2 March begins in Vietnam


def events(days: int = 20, users: int = 6, seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    count = days * users * 5
    user = random.integers(0, users, count)
    at = random.integers(0, days, count) * 86_400 + random.integers(8 * 3600, 17 * 3600, count)
    return pl.DataFrame(
        {
            "@timestamp": pl.Series(
                [START + timedelta(seconds=int(each)) for each in at], dtype=pl.Datetime("us", "UTC")
            ),
            "user.name": [f"u{each}" for each in user],
            "event.outcome": random.choice(["success", "failure"], count, p=[0.9, 0.1]),
            "source.ip": [f"10.0.0.{each}" for each in user + random.integers(0, 2, count)],
            "host.name": random.choice(["a", "b"], count),
            "event.code": random.choice(["4624", "4634", "4648"], count),
        }
    ).sort("@timestamp")


def table(frame: pl.DataFrame) -> pl.DataFrame:
    return deviations(measure(tally(frame, LOGONS, CALENDAR), LOGONS), LOGONS, CALENDAR)


def test_a_period_in_pieces_gives_what_it_gives_whole() -> None:
    frame = events()
    days = frame.with_columns(CALENDAR.window(pl.col("@timestamp"), "day").alias("day")).partition_by("day")
    pieces = added([tally(each, LOGONS, CALENDAR) for each in days], LOGONS)
    assert_frame_equal(measure(pieces, LOGONS), measure(tally(frame, LOGONS, CALENDAR), LOGONS), check_row_order=False)


@settings(max_examples=8, deadline=None)
@given(day=st.integers(8, 18), extra=st.integers(1, 40))
def test_what_happens_in_a_window_changes_neither_its_baseline_nor_an_earlier_row(day: int, extra: int) -> None:
    begin = START + timedelta(days=day)
    more = pl.DataFrame(
        {
            "@timestamp": [begin + timedelta(minutes=each) for each in range(extra)],
            "user.name": ["u1"] * extra,
            "event.outcome": ["failure"] * extra,
            "source.ip": [f"203.0.113.{each}" for each in range(extra)],
            "host.name": ["c"] * extra,
            "event.code": ["4625"] * extra,
        },
        schema_overrides={"@timestamp": pl.Datetime("us", "UTC")},
    )
    plain, changed = table(events()), table(pl.concat([events(), more]))
    until = pl.col("window") < begin
    assert_frame_equal(plain.filter(until), changed.filter(until))
    usual = [name for name in plain.columns if name.startswith(("usual ", "low ", "high ", "peer "))]
    there = (pl.col("window") == begin) & (pl.col("entity") == "u1")
    if plain.filter(there).height:
        assert_frame_equal(plain.filter(there).select(usual), changed.filter(there).select(usual))
    assert changed.filter(there)["new_addresses"].item() >= extra


def test_rows_do_not_change_when_later_windows_come() -> None:
    frame, border = events(), START + timedelta(days=12)
    early = table(frame.filter(pl.col("@timestamp") < border))
    assert_frame_equal(early, table(frame).filter(pl.col("window") < border))


def test_what_is_counted() -> None:
    at = [START + timedelta(hours=hour) for hour in (3, 9, 10)]  # 03:00 is off hours
    frame = pl.DataFrame(
        {"@timestamp": at, "user.name": ["lan"] * 3, "event.outcome": ["failure", "success", "success"],
         "source.ip": ["a", "b", "b"], "host.name": ["x", "x", None], "event.code": ["1", "2", "1"]},
        schema_overrides={"@timestamp": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    row = measure(tally(frame, LOGONS, CALENDAR), LOGONS).row(0, named=True)
    assert (row["events"], row["failures"], row["addresses"], row["hosts"], row["off_hours"]) == (3, 1, 2, 1, 1)
    assert row["failure_share"] == pytest.approx(1 / 5)  # of three, which are too few for a share
    assert row["new_addresses"] is None  # everything is new on the first day


def test_odd_input_gives_finite_distances_and_invents_nothing() -> None:
    traffic = featureset.load()["traffic"]
    times = [START + timedelta(days=day, hours=9) for day in range(12)]
    frame = pl.DataFrame(
        {
            "@timestamp": [*times, datetime(1970, 1, 1, tzinfo=UTC), None],
            "source.ip": ["10.0.0.1"] * 12 + ["10.0.0.2", "10.0.0.3"],
            "source.bytes": [float("nan"), float("inf"), *[5.0] * 10, None, -1.0],
            "destination.ip": [None] * 14,
        },
        schema_overrides={"@timestamp": pl.Datetime("us", "UTC"), "destination.ip": pl.String},
    )
    rows = deviations(measure(tally(frame, traffic, CALENDAR), traffic), traffic, CALENDAR)
    far = rows.select(pl.col("^far .*$")).to_numpy()
    assert set(rows["entity"]) == {"10.0.0.1"}  # clocks of 1970 and none are no windows
    assert np.isfinite(far).all()
    assert (np.abs(far) <= FARTHEST).all()
    nothing = tally(frame.clear(), traffic, CALENDAR)
    assert deviations(measure(nothing, traffic), traffic, CALENDAR).is_empty()
    without = tally(frame.drop("source.ip"), traffic, CALENDAR)
    assert without.numbers.is_empty()


def test_the_calendar_knows_holidays_and_nights() -> None:
    holiday = WorkCalendar(
        ZoneInfo("Asia/Ho_Chi_Minh"), holidays=frozenset({datetime(2026, 11, 24, tzinfo=UTC).date()})
    )
    times = pl.Series([datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 25, 3, tzinfo=UTC),
                       datetime(2026, 11, 25, 15, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))  # fmt: skip
    assert pl.select(holiday.off(pl.lit(times))).to_series().to_list() == [True, False, True]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("fresh: source.ip, sum: source.bytes", "exactly one"),
        ("ratio: [x, y]", "no feature here"),
        ("colour: red", "colour"),
    ],
)
def test_a_wrong_feature_set_is_refused_with_its_place(change: str, told: str) -> None:
    text = f"""
name: mine
words: {{en: mine, vi: của tôi}}
sources: [auth]
entity: user.name
window: day
check: {{en: look, vi: xem}}
features:
  - {{name: one, words: {{en: one, vi: một}}, {change}}}
"""
    with pytest.raises(DefinitionError, match=told) as caught:
        featureset.read(text, "mine.yml")
    assert "mine.yml" in str(caught.value)


def test_a_newcomer_is_held_against_its_own_cohort() -> None:
    """Those of the busy unit have ten addresses a day, those of the quiet one have one; two come on the last day."""
    days = [
        (START + timedelta(days=day, hours=2, minutes=user, seconds=each), f"{unit}{user}", unit, f"10.{user}.0.{each}")
        for day in range(12)
        for unit, addresses in (("busy", 10), ("quiet", 1))
        for user in range(8 if day == 11 else 7)
        for each in range(10 if user == 7 else addresses)
    ]
    frame = pl.DataFrame(
        days, schema=["@timestamp", "user.name", "organization.name", "source.ip"], orient="row"
    ).with_columns(
        pl.col("@timestamp").cast(pl.Datetime("us", "UTC")),
        pl.lit("success").alias("event.outcome"),
        pl.lit("a").alias("host.name"),
        pl.lit("4624").alias("event.code"),
    )
    fresh = table(frame).filter(pl.col("entity").is_in(["busy7", "quiet7"])).sort("entity")
    assert fresh.select("entity", "peers", "history").rows() == [("busy7", "busy", 0), ("quiet7", "quiet", 0)]
    busy, quiet = fresh["far addresses"]
    assert busy == pytest.approx(0.0, abs=0.1)
    assert quiet > 3


def test_a_merger_of_organisations_leaves_everybody_their_own_history() -> None:
    merged = START + timedelta(days=14)  # a Monday
    unit = pl.when(pl.col("@timestamp") < merged).then(pl.col("user.name").str.slice(0, 2)).otherwise(pl.lit("new"))
    before = table(events(days=18, users=12).with_columns(pl.lit("old").alias("organization.name")))
    after = table(events(days=18, users=12).with_columns(unit.alias("organization.name")))
    first = after.filter(pl.col("window") == merged)
    assert (first["history"] > 5).all()
    assert set(first["peers"].unique()) == {"new"}
    settled = pl.col("history") >= ENOUGH
    far = [f"far {name}" for name in LOGONS.names]
    assert_frame_equal(
        before.filter(settled).select("entity", "window", *far), after.filter(settled).select("entity", "window", *far)
    )
    assert after.select(pl.col(far).is_finite().all()).row(0) == (True,) * len(far)
