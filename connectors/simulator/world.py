"""The people, addresses and calendar of a simulated province: everything that a seed decides once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Address, IPv4Network
from math import prod
from random import Random
from zoneinfo import ZoneInfo

from connectors.simulator.province import RESERVED, Desks, Province
from connectors.workdays import read
from detectors.workdays import Workdays

OUTSIDE = tuple(IPv4Network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))  # RFC 5737
STRANGERS = 40  # addresses kept for attacks: nobody else comes from there
SURNAMES = ("Nguyen", "Tran", "Le", "Pham", "Vo", "Dang", "Bui", "Do", "Ho", "Ngo", "Duong", "Siu", "Ro", "Kpa", "Rmah")
MIDDLES = ("Van", "Thi", "Minh", "Ngoc", "Quoc", "Thanh", "Xuan", "Huu", "Kim", "Duc")
GIVEN = ("An", "Binh", "Chau", "Dung", "Giang", "Ha", "Hung", "Khanh", "Lan", "Linh", "Mai", "Nam", "Nga", "Phong",
         "Phuc", "Quan", "Son", "Tam", "Thao", "Trang", "Tuan", "Vinh", "Yen")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account and a computer."""

    user: str  # "lannt": given name, then initials
    number: int  # of the account: Windows RID, Linux uid
    unit: str
    computer: str
    ip: str


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection."""

    ip: str
    port: int


def peer(random: Random, ip: str) -> Peer:
    """Return an address with a fresh port, out of the range that Linux and Windows share."""
    return Peer(ip, random.randrange(49_152, 61_000))


@dataclass(frozen=True, slots=True)
class World:
    """A province as one seed makes it."""

    spec: Province
    seed: int
    zone: ZoneInfo
    begin: datetime
    end: datetime
    staff: tuple[Person, ...]
    administrators: tuple[Person, ...]
    agents: tuple[Person, ...]
    citizens: tuple[str, ...]
    strangers: tuple[str, ...]
    calendar: Workdays

    @property
    def size(self) -> float:
        """Return how large the province is beside the one that comes along: smaller ones do less."""
        return max(0.03, len(self.staff) / 106)

    def random(self, name: str) -> Random:
        """Return the generator of one part of the world, so that a change in one part leaves the others alone."""
        return Random(f"{self.seed}/{name}")  # noqa: S311  a simulation must be repeatable

    def works(self, day: date) -> bool:
        """Say whether offices are open: Tết and days off are not worked, some Saturdays are."""
        return day not in self.spec.holidays and self.calendar.works(day)

    def season(self, system: str, day: date) -> float:
        """Return how many times its usual work a system has on a day."""
        return prod(each.times for each in self.spec.seasons if system in each.systems and each.holds(day))

    def office(self, at: datetime) -> float:
        """Return how busy the offices are."""
        hours, moment = self.spec.hours, at.time()
        if not self.works(at.date()):
            return 0.03
        if hours.morning[0] <= moment < hours.morning[1] or hours.afternoon[0] <= moment < hours.afternoon[1]:
            return 1.0 if moment.hour in {8, 9, 14, 15} else 0.7
        if hours.morning[1] <= moment < hours.afternoon[0]:
            return 0.15
        return 0.12 if time(6, 30) <= moment < time(21) else 0.004

    def evening(self, at: datetime) -> float:
        """Return how busy people are who take work home: until late in the evening, hardly ever at night."""
        return max(self.office(at), 0.4 if time(19) <= at.time() < time(22) else 0.0)

    def public(self, at: datetime) -> float:
        """Return how busy citizens are: they sleep later than offices and come back in the evening."""
        return max(self.office(at), (0.08, 0.05, 0.3, 0.6, 0.7, 0.45)[at.hour // 4])

    def moment(self, day: int, clock: time) -> datetime:
        """Return that time of the day with that number, counted from 0."""
        return datetime.combine(self.begin.date() + timedelta(days=day), clock, self.zone)


def build(spec: Province, seed: int, start: date, days: int) -> World:
    """Settle who lives in the province."""
    random = Random(f"{seed}/world")  # noqa: S311  a simulation must be repeatable
    zone = ZoneInfo(spec.zone)
    taken: dict[str, int] = {}
    staff = tuple(person for unit in spec.units for person in _people(random, unit, unit.code, "pc", taken))
    admin, hotline = spec.administrators, spec.hotline
    addresses = [str(address) for block in OUTSIDE for address in block.hosts()]
    random.shuffle(addresses)
    return World(
        spec=spec,
        seed=seed,
        zone=zone,
        begin=datetime.combine(start, time(), zone),
        end=datetime.combine(start + timedelta(days=days), time(), zone),
        staff=staff,
        administrators=tuple(_people(random, admin, admin.unit, "adm", taken)),
        agents=tuple(_people(random, hotline, hotline.unit, "hl", taken)),
        citizens=tuple(addresses[STRANGERS:]),
        strangers=tuple(addresses[:STRANGERS]),
        calendar=read(zone=spec.zone),
    )


def _people(random: Random, desks: Desks, unit: str, prefix: str, taken: dict[str, int]) -> list[Person]:
    people = []
    for place in range(desks.staff):
        surname, middle, given = random.choice(SURNAMES), random.choice(MIDDLES), random.choice(GIVEN)
        base = f"{given}{surname[0]}{middle[0]}".lower()
        taken[base] = taken.get(base, 0) + 1
        number = 1100 + sum(taken.values())
        people.append(
            Person(
                user=base if taken[base] == 1 else f"{base}{taken[base]}",
                number=number,
                unit=unit,
                computer=f"{prefix}-{number}",
                ip=str(IPv4Address(int(desks.network.network_address) + RESERVED + place)),
            )
        )
    return people
