"""Weeks of behaviour of a province's accounts and hosts as event frames, with labelled changes of behaviour.

Made with arrays instead of log lines, because what is judged needs two months of a whole province: habits differ by
person (how busy, when, from where), days by weekday, and everybody does something odd at times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.errors import UsageError

TIME: Final = pl.Datetime("us", "UTC")
UNITS: Final = 40
DAY: Final = 86_400
ACTIONS: Final = ("view", "update", "search", "create", "approve", "print")
ACTION_SHARES: Final = (0.55, 0.2, 0.12, 0.08, 0.03, 0.02)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a province and how long a time."""

    users: int = 2_000
    hosts: int = 300
    days: int = 60


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Events per feature set, and the truth: scenario, set, entity, first and last day of the changed behaviour."""

    events: dict[str, pl.DataFrame]
    truth: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a scenario is played on."""

    random: np.random.Generator
    begin: datetime
    strength: float  # 1: as usual; tuning and judging differ

    def times(self, day: int, count: int, hours: tuple[float, float]) -> pl.Series:
        seconds = day * DAY + self.random.uniform(hours[0] * 3600, hours[1] * 3600, count)
        return _moments(self.begin, seconds)

    def some(self, least: float, most: float) -> int:
        return max(1, round(self.random.uniform(least, most) * self.strength))


Scene = Callable[[_Stage, str, int], pl.DataFrame]


def simulate(size: Size, seed: int, begin: datetime, judged: int, strength: float = 1.0) -> Behaviour:
    """Play the province; scenarios take place in the last `judged` days, each on accounts or hosts of its own.

    `begin` is a local midnight; it should be a Monday, for weekends to be where they belong.

    Raises:
        UsageError: there are fewer users or hosts than scenarios, or too few days.
    """
    if min(size.users, size.hosts) < len(SCENARIOS) or size.days <= judged:
        raise UsageError(
            f"{size.users} users, {size.hosts} hosts and {size.days} days are too few for {len(SCENARIOS)} scenarios "
            f"in the last {judged} days",
            fix=f"take at least {len(SCENARIOS)} of each, and {judged + 21} days",
        )
    random = np.random.default_rng(seed)
    stage = _Stage(random, begin, strength)
    events = {
        "logons": _logons(random, begin, size),
        "records": _records(random, begin, size),
        "traffic": _traffic(random, begin, size),
    }
    rows = []
    people = random.permutation(size.users)
    hosts = random.permutation(size.hosts)
    for number, (name, (kind, lasts, scene)) in enumerate(SCENARIOS.items()):
        entity = _address(int(hosts[number])) if kind == "traffic" else f"u{people[number]:04}"
        last = size.days - lasts
        start = int(random.integers(size.days - judged, last)) if last > size.days - judged else last
        while (start % 7) >= 5:  # most of them need a working day
            start -= 1
        played = [scene(stage, entity, day) for day in range(start, start + lasts) if day % 7 < 5 or lasts > 2]
        events[kind] = pl.concat([events[kind], *played], how="diagonal_relaxed")
        rows.append((name, kind, entity, begin + timedelta(days=start), begin + timedelta(days=start + lasts)))
    truth = pl.DataFrame(rows, schema={"scenario": pl.String, "set": pl.String, "entity": pl.String, "start": TIME,
                                       "end": TIME}, orient="row")  # fmt: skip
    return Behaviour({name: frame.sort("@timestamp") for name, frame in events.items()}, truth)


def _moments(begin: datetime, seconds: npt.NDArray[np.float64]) -> pl.Series:
    micros = (begin.timestamp() * 1e6 + seconds * 1e6).astype(np.int64)
    return pl.Series("@timestamp", micros).cast(TIME)


def _address(number: int) -> str:
    return f"10.52.{number // 250}.{number % 250 + 1}"


def _worked(
    random: np.random.Generator, count: int, days: int, rate: npt.NDArray[np.float64]
) -> tuple[Numbers, Numbers]:
    """Return who did something on which day, a row per event: on weekends nearly nobody does."""
    weekday = np.arange(days) % 7
    share = np.where(weekday < 5, 1.0, 0.03) * np.where(weekday == 0, 1.2, 1.0)
    present = random.random((count, days)) < np.where(weekday < 5, 0.93, 0.25)
    busy = random.poisson(rate[:, None] * share * random.gamma(6, 1 / 6, (count, days))) * present
    who, day = np.nonzero(busy)
    return np.repeat(who, busy[who, day]), np.repeat(day, busy[who, day])


def _when(random: np.random.Generator, begin: datetime, day: Numbers, habit: npt.NDArray[np.float64]) -> pl.Series:
    """Return times of day around each person's habit, seldom late in the evening."""
    hour = random.normal(habit, 2.0)
    hour = np.where((hour < 6.6) | (hour > 18), random.uniform(7, 17.5, len(day)), hour)
    hour = np.where(random.random(len(day)) < 0.003, random.uniform(18, 23, len(day)), hour)
    return _moments(begin, day * DAY + hour * 3600)


def _logons(random: np.random.Generator, begin: datetime, size: Size) -> pl.DataFrame:
    who, day = _worked(random, size.users, size.days, random.lognormal(1.5, 0.5, size.users))
    second = random.random(size.users) < 0.3  # have two computers
    desk = who * 2 + (second[who] & (random.random(len(who)) < 0.3))
    away = random.random(len(who)) < 0.004  # a colleague's desk
    desk = np.where(away, random.integers(0, size.users, len(who)) * 2, desk)
    server = np.where(random.random(len(who)) < 0.1, random.integers(0, 20, len(who)), who % 20)
    return pl.DataFrame(
        {
            "@timestamp": _when(random, begin, day, random.uniform(8.5, 14, size.users)[who]),
            "user.name": pl.Series(who).cast(pl.String).str.zfill(4),
            "event.outcome": np.where(random.random(len(who)) < 0.04, "failure", "success"),
            "source.ip": pl.Series(desk).cast(pl.String),
            "host.name": pl.Series(server).cast(pl.String),
            "event.code": random.choice(["4624", "4634", "4648"], len(who), p=[0.5, 0.45, 0.05]),
            "organization.name": pl.Series(who % UNITS).cast(pl.String),
        }
    ).with_columns(_named("user.name", "u"), _named("source.ip", "10.0.0."), _named("host.name", "srv"))


def _records(random: np.random.Generator, begin: datetime, size: Size) -> pl.DataFrame:
    who, day = _worked(random, size.users, size.days, random.lognormal(2.2, 0.6, size.users))
    return pl.DataFrame(
        {
            "@timestamp": _when(random, begin, day, random.uniform(8.5, 14, size.users)[who]),
            "user.name": pl.Series(who).cast(pl.String).str.zfill(4),
            "event.action": random.choice(ACTIONS, len(who), p=ACTION_SHARES),
            "event.outcome": np.where(random.random(len(who)) < 0.01, "failure", "success"),
            "event.reference": pl.Series(random.integers(0, 200_000, len(who))).cast(pl.String),
            "source.ip": pl.Series(who).cast(pl.String),
            "organization.name": pl.Series(who % UNITS).cast(pl.String),
        }
    ).with_columns(_named("user.name", "u"), _named("source.ip", "10.1.0."))


def _traffic(random: np.random.Generator, begin: datetime, size: Size) -> pl.DataFrame:
    rate = random.lognormal(3.3, 0.5, size.hosts)
    busy = random.poisson(rate[:, None] * random.gamma(8, 1 / 8, (size.hosts, size.days)))
    who, day = (np.repeat(each, busy[np.nonzero(busy)]) for each in np.nonzero(busy))
    habit = random.integers(0, 400, (size.hosts, 12))
    known = habit[who, random.integers(0, 12, len(who))]
    where = np.where(random.random(len(who)) < 0.02, random.integers(0, 400, len(who)), known)
    hour = np.where(random.random(len(who)) < 0.75, random.uniform(7, 17.5, len(who)), random.uniform(0, 24, len(who)))
    return pl.DataFrame(
        {
            "@timestamp": _moments(begin, day * DAY + hour * 3600),
            "source.ip": pl.Series([_address(each) for each in range(size.hosts)]).gather(who),
            "source.bytes": random.lognormal(8, 1, len(who)).astype(np.int64),
            "destination.bytes": random.lognormal(9, 1.2, len(who)).astype(np.int64),
            "destination.ip": pl.Series(where).cast(pl.String),
            "destination.port": random.choice(["443", "80", "53", "22"], len(who), p=[0.7, 0.15, 0.13, 0.02]),
            "event.outcome": np.where(random.random(len(who)) < 0.02, "failure", "success"),
            "organization.name": pl.Series(who % UNITS).cast(pl.String),
        }
    ).with_columns(_named("destination.ip", "203.0."))


def _named(column: str, prefix: str) -> pl.Expr:
    return (pl.lit(prefix) + pl.col(column)).alias(column)


def _logon(_: _Stage, user: str, times: pl.Series, **other: object) -> pl.DataFrame:
    base = {"event.outcome": "success", "source.ip": "10.0.0.0", "host.name": "srv1", "event.code": "4624"}
    return _frame(times, {"user.name": user, **base, **other})


def _record(stage: _Stage, user: str, times: pl.Series, **other: object) -> pl.DataFrame:
    base = {"event.action": "view", "event.outcome": "success", "source.ip": f"10.1.0.{int(user[1:])}"}
    references = [str(each) for each in stage.random.integers(0, 200_000, len(times))]
    return _frame(times, {"user.name": user, **base, **other, "event.reference": references})


def _flow(_: _Stage, host: str, times: pl.Series, **other: object) -> pl.DataFrame:
    base = {"source.bytes": 4_000, "destination.bytes": 9_000, "destination.ip": "203.0.1", "destination.port": "443"}
    return _frame(times, {"source.ip": host, **base, "event.outcome": "success", **other})


def _frame(times: pl.Series, columns: dict[str, object]) -> pl.DataFrame:
    made = {name: value if isinstance(value, list) else [value] * len(times) for name, value in columns.items()}
    return pl.DataFrame({"@timestamp": times, **made})


def _many(stage: _Stage, count: int, text: str) -> list[str]:
    return [text.format(each) for each in stage.random.integers(0, 250, count)]


# name → feature set, days it lasts, what happens on each of them
SCENARIOS: Final[dict[str, tuple[str, int, Scene]]] = {
    "account takeover": ("logons", 1, lambda s, who, day: _logon(
        s, who, s.times(day, n := s.some(8, 20), (1, 4)), **{"source.ip": _many(s, n, "198.51.100.{}")})),
    "dormant or off-duty account at night": ("logons", 2, lambda s, who, day: _logon(
        s, who, s.times(day, s.some(10, 20), (22, 24)), **{"source.ip": "198.51.100.7", "host.name": "srv19"})),
    "lateral movement": ("logons", 1, lambda s, who, day: _logon(
        s, who, s.times(day, n := s.some(12, 30), (9, 16)), **{"host.name": [f"srv{at % 20}" for at in range(n)]})),
    "service account on new hosts": ("logons", 1, lambda s, who, day: _logon(
        s, who, s.times(day, n := s.some(10, 20), (19, 22)), **{"host.name": [f"ws{at}" for at in range(n)]})),
    "password guessing from inside": ("logons", 2, lambda s, who, day: _logon(
        s, who, s.times(day, s.some(25, 60), (8, 17)), **{"event.outcome": "failure", "event.code": "4625"})),
    "shared password": ("logons", 2, lambda s, who, day: _logon(
        s, who, s.times(day, n := s.some(9, 16), (8, 17)), **{"source.ip": _many(s, n, "10.9.0.{}")})),
    "insider browsing records": ("records", 3, lambda s, who, day: _record(
        s, who, s.times(day, s.some(90, 160), (8, 17)))),
    "mass download before leaving": ("records", 2, lambda s, who, day: _record(
        s, who, s.times(day, s.some(40, 90), (16, 20)), **{"event.action": "download"})),
    "records at night": ("records", 2, lambda s, who, day: _record(s, who, s.times(day, s.some(20, 40), (0, 4)))),
    "meter of complaints": ("records", 2, lambda s, who, day: _record(
        s, who, s.times(day, s.some(12, 25), (12, 13)), **{"event.action": "listen"})),
    "probing for rights": ("records", 1, lambda s, who, day: _record(
        s, who, s.times(day, s.some(20, 40), (9, 16)), **{"event.outcome": "failure", "event.action": "approve"})),
    "records from another place": ("records", 2, lambda s, who, day: _record(
        s, who, s.times(day, s.some(15, 30), (19, 23)), **{"source.ip": "198.51.100.9", "event.action": "export"})),
    "slow exfiltration": ("traffic", 4, lambda s, who, day: _flow(
        s, who, s.times(day, s.some(12, 20), (0, 24)), **{"source.bytes": 2_500_000,
                                                             "destination.ip": "198.51.100.20"})),
    "gateway beaconing": ("traffic", 4, lambda s, who, day: _flow(
        s, who, s.times(day, s.some(120, 200), (0, 24)), **{"destination.ip": "198.51.100.30", "source.bytes": 300})),
    "scanning inside": ("traffic", 1, lambda s, who, day: _flow(
        s, who, s.times(day, n := s.some(80, 200), (9, 17)), **{
            "destination.ip": [f"10.52.9.{at}" for at in range(n)],
                                                              "destination.port": "445"})),
    "backup tampering": ("traffic", 1, lambda s, who, day: _flow(
        s, who, s.times(day, s.some(30, 60), (1, 3)), **{"destination.port": "10006", "destination.bytes": 40_000_000,
                                                       "destination.ip": "10.55.0.9"})),
    "blocked calls home": ("traffic", 2, lambda s, who, day: _flow(
        s, who, s.times(day, s.some(60, 120), (0, 24)), **{"event.outcome": "failure",
                                                         "destination.ip": "198.51.100.40"})),
}  # fmt: skip
