"""Exact detectors beside the models: each against what a person would work out by hand, and against quiet weeks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.exact import LOOKS
from detectors.anomaly.exact.firsts import remembered
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.telling import anomalies
from detectors.anomaly.featureset import FeatureSet, load
from detectors.anomaly.moments import finished, joined, moments
from detectors.anomaly.parts import Words
from detectors.anomaly.watch import Watch

CALENDAR = WorkCalendar(ZoneInfo("Asia/Ho_Chi_Minh"))
START = datetime(2026, 3, 1, 17, tzinfo=UTC)  # Monday 2 March begins in Vietnam
DAY = timedelta(days=1)
LAST = START + 41 * DAY
STAGE = Stage(LAST, LAST + DAY, CALENDAR)
WORDS = Words(en="en", vi="vi")
Row = tuple[datetime, str, str, str]


def watch(kind: str, **more: object) -> Watch:
    columns = {"first_seen": ["value"], "pair": ["by", "value"], "beacon": ["value"], "travel": ["value"]}
    given_ = {"name": "it", "kind": kind, "words": WORDS, "columns": columns.get(kind, []), "weekly": 100}
    return Watch.model_validate({**given_, **more})


def told(rows: list[Row], looked: Watch, stage: Stage = STAGE) -> pl.DataFrame:
    return LOOKS[looked.kind](counted(rows, looked), looked, stage).filter(pl.col("end") > LAST)


def counted(rows: list[Row], looked: Watch) -> pl.DataFrame:
    frame = pl.DataFrame(rows, orient="row", schema={"@timestamp": pl.Datetime("us", "UTC"), "entity": pl.String,
                                                     "by": pl.String, "value": pl.String})  # fmt: skip
    return finished(moments(frame, [looked], CALENDAR), [looked], CALENDAR)


def steady(entity: str, days: int = 42, per_hour: int = 3, value: str = "usual") -> list[Row]:
    hours = (START + timedelta(hours=hour) for hour in range(24 * days))
    return [(at + timedelta(minutes=7 * n), entity, "boss", value) for at in hours for n in range(per_hour)]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), period=st.integers(2, 60), jitter=st.sampled_from([0.0, 0.1, 0.5]))
def test_a_beat_is_measured_as_by_hand_and_told_by_it_alone(seed: int, period: int, jitter: float) -> None:
    random, looked = Random(seed), watch("beacon", least=12)  # noqa: S311
    begin = LAST + timedelta(minutes=30 + random.randrange(60))  # none before the day that is looked at
    at = [begin + timedelta(minutes=period * n + period * jitter * random.uniform(-1, 1)) for n in range(20)]
    quiet = [(START, "a", "", "known"), *((each, "a", "", "c2") for each in at)]
    times = sorted({each.replace(second=0, microsecond=0): each for each in sorted(at, reverse=True)}.values())
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    spread = float(np.quantile(gaps, 0.8) - np.quantile(gaps, 0.2)) / median(gaps)
    found = told(quiet, looked)
    span = (times[-1] - times[0]).total_seconds()
    if times[-1] < LAST + DAY:  # else two days share them
        assert found.height == int(len(times) >= 12 and spread <= 0.35 and span >= median(gaps) * 5.5)
    if found.height:
        assert found["period"].item() == pytest.approx(median(gaps))
        assert found["jitter"].item() == pytest.approx(spread)


def test_contacts_by_chance_are_no_beat_nor_is_what_was_there_before_or_what_everybody_knows() -> None:
    random, looked = Random(5), watch("beacon", least=12)  # noqa: S311
    chance = [(START + timedelta(seconds=random.uniform(0, 42 * 86_400)), f"h{n % 9}", "", "x") for n in range(9_000)]
    clock = [(START + timedelta(minutes=10 * n), "h1", "", "clock") for n in range(42 * 144)]
    everybody = [(LAST + timedelta(minutes=10 * n), f"h{who}", "", "update") for n in range(40) for who in range(9)]
    assert told(chance + clock + everybody, looked).is_empty()
    assert told([*chance, *((at, who, "", "new") for at, who, _, _ in everybody[::9])], looked)["value"].to_list() == [
        "new"
    ]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_firsts_are_those_that_a_loop_finds(seed: int) -> None:
    random, looked = Random(seed), watch("first_seen", warm=10)  # noqa: S311
    rows = [(START + random.uniform(0, 42) * DAY, f"u{random.randrange(3)}", "", f"v{random.randrange(40)}")
            for _ in range(80)]  # fmt: skip
    begin = min(at for at, *_ in rows)
    strong = set()
    for entity in {who for _, who, *_ in rows}:
        firsts = {value: min(at for at, who, _, v in rows if (who, v) == (entity, value))
                  for _, who, _, value in rows if who == entity}  # fmt: skip
        settled = max(min(firsts.values()), begin) + 10 * DAY
        days: dict[datetime, int] = {}
        for at in firsts.values():
            if at >= settled:
                days[midnight(at)] = days.get(midnight(at), 0) + 1
        before = 0
        for day in sorted(days):
            known = max((day - settled) / DAY, 0) + 10
            if np.log((known + 1) / (before + 0.5)) >= 2.0:
                strong.add((entity, day, days[day]))
            before += days[day]
    found = LOOKS["first_seen"](counted(rows, looked), looked, STAGE)
    assert set(found.select("entity", "start", pl.col("firsts").cast(pl.Int64)).iter_rows()) == strong


def midnight(at: datetime) -> datetime:
    return at.astimezone(CALENDAR.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def test_what_was_seen_longer_ago_than_the_archive_reaches_is_not_new() -> None:
    looked = watch("first_seen")
    rows = [*steady("u1"), (LAST + DAY / 2, "u1", "", "old")]
    assert told(rows, looked)["value"].to_list() == ["old"]
    memory = remembered(counted([(START - 99 * DAY, "u1", "", "old")], looked), counted([], looked))
    both = remembered(counted(rows, looked), memory)
    assert LOOKS["first_seen"](both, looked, STAGE).filter(pl.col("start") >= LAST).is_empty()
    assert_frame_equal(remembered(both, both), both, check_row_order=False)  # again changes nothing


def test_a_first_is_no_stronger_for_coming_later_but_many_on_one_day_are() -> None:
    looked = watch("first_seen")
    rows = [*steady("u1"), *steady("u2"), *steady("u3")]
    rows += [(START + 20 * DAY, "u1", "", "early"), (LAST + DAY / 2, "u2", "", "late")]
    rows += [(LAST + DAY / 2, "u3", "", f"many{n}") for n in range(4)]
    found = LOOKS["first_seen"](counted(rows, looked), looked, STAGE)
    strength = dict(found.select("entity", "strength").iter_rows())
    assert strength["u1"] == pytest.approx(strength["u2"], abs=0.01)
    assert strength["u3"] > strength["u2"] + 1


def test_a_newcomer_is_learnt_before_it_is_judged() -> None:
    looked = watch("first_seen")
    fresh = [(LAST - 5 * DAY + n * timedelta(hours=5), "u9", "", f"v{n}") for n in range(20)]
    assert told([*steady("u1"), *fresh], looked).is_empty()


def test_a_pair_is_rare_when_both_are_known_and_never_met() -> None:
    looked = watch("pair")
    usual = [*steady("srv"), *((at, who, "word.exe", "splwow.exe") for at, who, *_ in steady("pc"))]
    shells = [(at, "pc", "explorer.exe", "cmd.exe") for at, *_ in steady("pc")]
    found = told([*usual, *shells, (LAST + DAY / 2, "pc", "word.exe", "cmd.exe")], looked)
    assert found.select("entity", "by", "value").rows() == [("pc", "word.exe", "cmd.exe")]
    unknown = told([*usual, (LAST + DAY / 2, "pc", "word.exe", "never.exe")], looked)
    assert unknown.is_empty()  # a program that is new is a first, not a pair


@pytest.mark.parametrize(("times", "hit"), [(1.0, 0), (1.6, 0), (12.0, 1), (0.05, 1)])
def test_a_spike_and_a_drop_are_told_and_the_usual_is_not(times: float, hit: int) -> None:
    random, looked = np.random.default_rng(3), watch("volume", least=30)
    rows: list[Row] = []
    for hour in range(42 * 24):
        at = START + timedelta(hours=hour)
        usual = 120 if 7 <= hour % 24 < 17 else 40  # a season
        count = int(random.poisson(usual) * (times if at == LAST + timedelta(hours=9) else 1.0))
        rows += [(at + timedelta(seconds=n), "portal", "", "") for n in range(count)]
    found = told(rows, looked)
    assert found.height == hit
    if hit:
        assert found["start"].item() == LAST + timedelta(hours=9)
        assert 90 < found["usual"].item() < 150


def test_silence_is_told_once_when_it_is_too_long_and_nights_and_weekends_are_none() -> None:
    looked = watch("silence", warm=7)
    office = [row for row in steady("office") if row[0].astimezone(CALENDAR.zone).weekday() < 5
              and 7 <= row[0].astimezone(CALENDAR.zone).hour < 17]  # fmt: skip
    dead = [row for row in steady("dead") if not row[0] >= LAST + DAY / 4]
    found = told(office + dead + steady("other"), looked)
    assert found.select("entity", "start").rows() == [("dead", LAST + DAY / 4)]
    assert 3 <= found["hours"].item() <= 8
    declared = Stage(LAST, LAST + DAY, CALENDAR, declared={"dead": timedelta(hours=9)})
    (row,) = told(dead, looked, declared).iter_rows(named=True)
    assert (row["end"] - row["start"], row["declared"]) == (timedelta(hours=9), 9.0)
    patient = Stage(LAST, LAST + DAY, CALENDAR, declared={"dead": timedelta(days=3)})
    assert told(dead, looked, patient).is_empty()


def test_declared_silences_are_told_in_the_order_in_which_they_are_overdue_and_matter() -> None:
    looked, limit = watch("silence", warm=7), timedelta(hours=4)
    names = ("busy", "weighty", "rare")
    usual = [row for name in names for row in steady(name, per_hour=1) if name != "rare" or row[0].hour % 5 == 0]
    dead = [row for row in usual if row[0] < LAST + DAY / 4]
    stage = Stage(LAST, LAST + DAY, CALENDAR, dict.fromkeys(names, limit), weights={"weighty": 4.0})
    strength = dict(told(dead, looked, stage).select("entity", "strength").iter_rows())
    assert strength["weighty"] > strength["busy"] > strength["rare"] >= 1.0
    assert strength["weighty"] == pytest.approx(4.0 * strength["busy"])


def test_no_source_that_falls_silent_is_muted_by_another_but_one_by_itself() -> None:
    chosen = FeatureSet(name="mine", words=WORDS, sources=["*"], entity="soc.source", window="hour", check=WORDS,
                        watches=[watch("silence", warm=7, weekly=1)])  # fmt: skip
    looked, names = chosen.watches[0], [f"s{n}" for n in range(8)]
    nightly = [row for row in steady("nightly") if row[0].astimezone(CALENDAR.zone).hour >= 7]  # seven hours a night
    rows = [*nightly, *(row for name in names for row in steady(name) if row[0] < LAST + DAY / 2)]
    limits = dict.fromkeys([*names, "nightly"], timedelta(hours=6))
    stages = [Stage(LAST, LAST + DAY, CALENDAR, limits, apart=apart) for apart in (True, False)]
    apart, together = (anomalies(counted(rows, looked), chosen, looked, stage, []) for stage in stages)
    assert sorted(one.entity for one in apart[0]) == names
    assert apart[1] == 1  # that which is silent every night
    assert len(together[0]) == 5


def test_travel_that_nobody_can_do_is_told_and_that_of_two_desks_is_not() -> None:
    looked = watch("travel", minutes=60)
    home = [(START + n * DAY + DAY / 3, "lan", "", "VN") for n in range(42)]
    at = LAST + DAY / 3 + timedelta(minutes=25)
    (row,) = told([*home, (at, "lan", "", "RU")], looked).iter_rows(named=True)
    assert (row["before"], row["value"], round(row["minutes"])) == ("VN", "RU", 25)
    assert told([*home, (at + timedelta(hours=2), "lan", "", "RU")], looked).is_empty()
    two = [(at - 7 * n * DAY, "lan", "", "LA") for n in range(1, 5)]
    assert told([*home, *two, (at, "lan", "", "LA")], looked).is_empty()


def test_pieces_of_a_day_give_what_the_day_gives() -> None:
    looked = watch("beacon", least=12)
    rows = [(LAST + timedelta(minutes=5 * n), "a", "", "c2") for n in range(60)]
    frame = pl.DataFrame(rows, orient="row", schema={"@timestamp": pl.Datetime("us", "UTC"), "entity": pl.String,
                                                     "by": pl.String, "value": pl.String})  # fmt: skip
    parts = joined(moments(each, [looked], CALENDAR) for each in (frame[1::2], frame[::2]))
    assert_frame_equal(finished(parts, [looked], CALENDAR), counted(rows, looked))


def test_only_what_is_stronger_than_the_weeks_before_is_told_in_both_languages() -> None:
    chosen = FeatureSet(name="mine", words=WORDS, sources=["auth"], entity="user.name", window="day", check=WORDS,
                        watches=[watch("first_seen", weekly=1)])  # fmt: skip
    looked = chosen.watches[0]
    noisy = [row for n in range(9) for row in steady(f"u{n}", per_hour=1)]
    noisy += [(START + (15 + 2 * n) * DAY, f"u{n}", "", f"odd{n}") for n in range(9)]  # one every other day
    assert (
        anomalies(counted([*noisy, (LAST + DAY / 2, "u0", "", "new")], looked), chosen, looked, STAGE, ["auth"])[1] == 1
    )
    quiet = [row for n in range(9) for row in steady(f"u{n}", per_hour=1)]
    (one,), over = anomalies(
        counted([*quiet, (LAST + DAY / 2, "u0", "", "new")], looked), chosen, looked, STAGE, ["auth"]
    )
    assert over == 0
    assert (one.detector, one.entity, one.where) == ("anomaly.mine.it", "u0", {"value": "new"})
    assert "never seen of it before" in one.text.en
    assert "chưa từng thấy ở đối tượng này" in one.text.vi
    assert one.details["history"]["values"][-1] == 25


def test_all_own_watches_run_on_nothing_and_say_nothing() -> None:
    for chosen in load().values():
        for looked in chosen.watches:
            assert anomalies(counted([], looked), chosen, looked, STAGE, []) == ([], 0)


@pytest.mark.parametrize(
    ("looked", "rows", "english", "vietnamese"),
    [
        (watch("pair"), [(LAST + DAY / 2, "pc", "boss", "cmd")], "boss with cmd: both", "boss với cmd: cả hai"),
        (watch("volume", least=2), [(LAST + DAY / 2 + timedelta(seconds=n), "pc", "", "") for n in range(99)],
         "102 events from 2026-04-12 12:00 to 2026-04-12 13:00; at this hour of such days usually 3",
         "102 sự kiện từ 12:00 12/04/2026"),
        (watch("beacon", least=6), [(LAST + n * timedelta(minutes=10), "pc", "", "c2") for n in range(50)],
         "50 contacts with c2, one every 10 minutes (spread 0 %)", "cứ 10 phút một lần"),
        (watch("travel", minutes=60), [(LAST + DAY / 2 + timedelta(minutes=10), "pc", "", "RU")],
         "At usual until 2026-04-12 12:07", "không ai đi được trong chưa tới 60 phút"),
    ],
)  # fmt: skip
def test_what_each_kind_says(looked: Watch, rows: list[Row], english: str, vietnamese: str) -> None:
    chosen = FeatureSet(name="mine", words=WORDS, sources=["auth"], entity="host.name", window="day", check=WORDS,
                        watches=[looked])  # fmt: skip
    usual = [*steady("pc"), *steady("other", value="cmd"), *((at, "x", "y", "cmd") for at, *_ in steady("x", 42, 1))]
    if looked.kind == "pair":
        usual = [*steady("pc"), *((at, "x", "y", "cmd") for at, *_ in steady("x", 42, 1))]
    (one,), _ = anomalies(counted([*usual, *rows], looked), chosen, looked, STAGE, ["auth"])
    assert english in one.text.en
    assert vietnamese in one.text.vi
    assert one.entity == "pc"
    assert one.start < one.end
