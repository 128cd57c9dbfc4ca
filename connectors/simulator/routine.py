"""Weeks of a province in which nothing happens but what always does: for what exact detectors cry wolf about.

Made with arrays, for many machines and accounts. Nothing here is an attack, and much of it looks like one at first: new
versions of programs, somebody's tool, administrators on any machine, a colleague's desk, a telephone whose address is
abroad, applications that call home by the clock, holidays, maintenance, a switch that fails, the end of the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

TIME: Final = pl.Datetime("us", "UTC")
DAY: Final = 86_400
UNITS: Final = 40
SHARED: Final = 400  # destinations that many machines know

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a province and how long a time."""

    accounts: int = 1_000
    hosts: int = 300
    senders: int = 400
    sources: int = 40
    days: int = 42


@dataclass(frozen=True, slots=True)
class Routine:
    """What exact detectors are shown: events by feature set, and events an hour (entity, at, count) by feature set."""

    events: dict[str, pl.DataFrame]
    hours: dict[str, pl.DataFrame]


def play(extent: Extent, seed: int, begin: datetime) -> Routine:
    """Play the weeks; `begin` is a local midnight, of a Monday."""
    random = np.random.default_rng(seed)
    events = {
        "hosts": _programs(random, extent, begin),
        "logons": _logons(random, extent, begin),
        "traffic": _traffic(random, extent, begin),
    }
    return Routine(events, {"feeds": _sources(random, extent, begin), "senders": _machines(random, extent, begin)})


def _moments(begin: datetime, seconds: npt.NDArray[np.float64]) -> pl.Series:
    micros = (begin.timestamp() * 1e6 + seconds * 1e6).astype(np.int64)
    return pl.Series("@timestamp", micros).cast(TIME)


def _present(random: np.random.Generator, count: int, days: int) -> npt.NDArray[np.bool_]:
    """Return who is there on which day: few on weekends, and everybody has some days off."""
    there = random.random((count, days)) < np.where(np.arange(days) % 7 < 5, 0.94, 0.08)
    for who in np.flatnonzero(random.random(count) < 0.5):
        first = int(random.integers(0, days))
        there[who, first : first + int(random.integers(2, 11))] = False
    return there


def _repeated(
    random: np.random.Generator, there: npt.NDArray[np.bool_], rate: float
) -> tuple[Numbers, Numbers, npt.NDArray[np.float64]]:
    """Return who, on which day, and when in seconds, a row per event."""
    many = random.poisson(rate, there.shape) * there
    who, day = np.nonzero(many)
    who, day = np.repeat(who, many[who, day]), np.repeat(day, many[who, day])
    return who, day, day * DAY + random.uniform(7 * 3600, 17.5 * 3600, len(who))


def _programs(random: np.random.Generator, extent: Extent, begin: datetime) -> pl.DataFrame:
    who, day, seconds = _repeated(random, _present(random, extent.hosts, extent.days), 30)
    program = np.minimum(random.zipf(1.4, len(who)), 80)
    parent = np.where(random.random(len(who)) < 0.7, program % 4, 4 + program % 7)  # each has one or two
    names = np.char.add("app", program.astype(str))
    version = (day // 10).astype(str)  # of the programs that are updated, everywhere, within days
    names = np.where(program % 9 == 0, np.char.add(np.char.add(names, "-"), version), names)
    tool = random.random(len(who)) < 3 / (30 * extent.hosts)  # three a day that nobody had before
    names = np.where(tool, np.char.add("setup", random.integers(0, 10**6, len(who)).astype(str)), names)
    odd = random.random(len(who)) < 0.6 / (30 * extent.hosts)  # and now and then another parent
    parent = np.where(odd, random.integers(0, 11, len(who)), parent)
    return pl.DataFrame(
        {
            "@timestamp": _moments(begin, seconds),
            "host.name": np.char.add("pc", who.astype(str)),
            "process.executable": names,
            "process.parent.executable": np.char.add("parent", parent.astype(str)),
        }
    )


def _logons(random: np.random.Generator, extent: Extent, begin: datetime) -> pl.DataFrame:
    who, _, seconds = _repeated(random, _present(random, extent.accounts, extent.days), 6)
    desk = who % extent.hosts
    shared = random.random(len(who))
    desk = np.where(shared < 0.15, extent.hosts + who % 20, desk)  # a server
    helps = who < extent.accounts // 200  # administrators go to any machine
    away = helps | (random.random(len(who)) < 0.002)  # others to a colleague's
    desk = np.where(away, random.integers(0, extent.hosts, len(who)), desk)
    unit = who % UNITS
    unit = np.where(random.random(len(who)) < 0.002, random.integers(0, UNITS, len(who)), unit)
    country = np.where(random.random(len(who)) < 0.2 / (6 * extent.accounts), "SG", "VN")  # a telephone's address
    return pl.DataFrame(
        {
            "@timestamp": _moments(begin, seconds),
            "user.name": np.char.add("u", who.astype(str)),
            "host.name": np.char.add("pc", desk.astype(str)),
            "soc.source.unit": np.char.add("H21.", unit.astype(str)),
            "source.geo.country_iso_code": country,
            "event.outcome": np.where(random.random(len(who)) < 0.04, "failure", "success"),
        }
    )


def _traffic(random: np.random.Generator, extent: Extent, begin: datetime) -> pl.DataFrame:
    who, _, seconds = _repeated(random, np.ones((extent.hosts, extent.days), dtype=np.bool_), 40)
    habit = random.integers(0, SHARED, (extent.hosts, 12))
    where = np.where(
        random.random(len(who)) < 0.03,
        random.integers(0, SHARED, len(who)),
        habit[who, random.integers(0, 12, len(who))],
    )
    parts = [(who, seconds, where.astype(np.int64))]
    clocks = [  # who calls which destination how often, from which day on
        *((host, SHARED + 1 + host % 12, 3_600.0, 0) for host in range(extent.hosts)),  # updates
        *((host, SHARED + 100 + host // 20, 900.0, 0) for host in range(0, extent.hosts, 3)),  # an application
        *(  # somebody has a new one, once in five days
            (int(random.integers(0, extent.hosts)), SHARED + 1_000 + day, float(random.choice([300, 600, 1_800])), day)
            for day in range(3, extent.days, 5)
        ),
    ]
    for host, destination, period, first in clocks:
        beats = np.arange(first * DAY + 7.5 * 3600, extent.days * DAY, period)
        beats = beats[(beats % DAY > 7 * 3600) & (beats % DAY < 18 * 3600)]
        times = beats + random.normal(0, period * 0.03, len(beats))
        parts.append((np.full(len(beats), host), times, np.full(len(beats), destination)))
    who, seconds, where = (np.concatenate(each) for each in zip(*parts, strict=True))
    return pl.DataFrame(
        {
            "@timestamp": _moments(begin, seconds),
            "source.ip": np.char.add("10.52.0.", who.astype(str)),
            "destination.ip": np.char.add("203.0.", where.astype(str)),
        }
    )


def _hourly(begin: datetime, counts: Numbers, prefix: str) -> pl.DataFrame:
    """Return the hours of each row of counts that have any."""
    who, hour = np.nonzero(counts)
    return pl.DataFrame(
        {
            "entity": np.char.add(prefix, who.astype(str)),
            "at": _moments(begin, hour.astype(np.float64) * 3600),
            "count": counts[who, hour].astype(np.float64),
        }
    )


def _season(days: int) -> tuple[npt.NDArray[np.bool_], Numbers]:
    """Return of every hour whether it is worked in, and which day it is of."""
    hour, day = np.arange(24 * days) % 24, np.arange(24 * days) // 24
    return (hour >= 7) & (hour < 17) & (day % 7 < 5), day


def _sources(random: np.random.Generator, extent: Extent, begin: datetime) -> pl.DataFrame:
    """A third write day and night, a third in working hours, a sixth seldom, and a sixth in one nightly run."""
    works, day = _season(extent.days)
    base = random.lognormal(6, 1.2, extent.sources)
    weekly = random.gamma(60, 1 / 60, (extent.sources, extent.days))[:, day]
    shape = np.empty((extent.sources, len(works)))
    for number in range(extent.sources):
        match number % 6:
            case 0 | 1:
                shape[number] = np.where(works, 1.0, 0.4)
            case 2 | 3:
                shape[number] = np.where(works, 1.0, 0.005)
            case 4:
                shape[number] = 0.2 / base[number]
            case _:
                shape[number] = np.arange(len(works)) % 24 == 2
    shape[:, (day % 30 == 28) & works] *= 2.0  # the end of the month
    counts = random.poisson(base[:, None] * shape * weekly)
    for number in range(extent.sources):  # maintenance at night, once in three weeks
        for start in range(int(random.integers(0, 21)), extent.days, 21):
            first = start * 24 + 22
            counts[number, first : first + int(random.integers(1, 4))] = 0
    return _hourly(begin, counts, "source")


def _machines(random: np.random.Generator, extent: Extent, begin: datetime) -> pl.DataFrame:
    """A quarter are servers; the others are on when somebody is there. Now and then a switch fails for hours."""
    works, day = _season(extent.days)
    servers = np.arange(extent.senders) < extent.senders // 4
    there = _present(random, extent.senders, extent.days)[:, day] & works
    rate = np.where(servers[:, None], 30.0, np.where(there, 8.0, 0.0))
    counts = random.poisson(rate)
    for start in range(4, extent.days, 9):
        first, unit = start * 24 + int(random.integers(8, 15)), int(random.integers(0, UNITS))
        counts[unit::UNITS, first : first + 3] = 0
    for number in np.flatnonzero(servers):  # restarts
        for start in range(int(random.integers(0, 14)), extent.days, 14):
            counts[number, start * 24 + 3 : start * 24 + 4] = 0
    return _hourly(begin, counts, "machine")
