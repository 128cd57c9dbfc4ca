"""The audit logs of the province's applications: one JSON object per act, in the layout of `application_audit`.

{"ts":"2026-11-18T08:01:12.512+07:00","system":"ecabinet","host":"ecab01","user":"lannt","action":"view_document",…}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from random import Random

import orjson

from connectors.simulator.acts import Fields
from connectors.simulator.stream import Line, Rhythm, arrivals, in_order, later
from connectors.simulator.systems import SYSTEMS, System
from connectors.simulator.world import Person, World

SOURCES = tuple(system.name for system in SYSTEMS)
BY_NAME = {system.name: system for system in SYSTEMS}
MISTAKES = 0.04  # of logins begin with a wrong password


def line(at: datetime, system: str, who: Person, role: str, action: str, **more: object) -> Line:
    """Write one act of somebody; `more` are the system's own fields, or others than usual; None leaves one out."""
    net = who.ip.split(".")
    record: Fields = {
        "ts": at.isoformat(timespec="milliseconds"),
        "system": system,
        "host": BY_NAME[system].host,
        "user": who.user,
        "user_org": who.unit,
        "org_code": who.unit,
        "role": role,
        "src_ip": who.ip,
        "net_site": f"net-{net[1]}-{net[2]}",
        "action": action,
        "result": "success",
    }
    whole = {name: value for name, value in (record | more).items() if value is not None}
    return Line(at, system, orjson.dumps(whole).decode())


def session(random: Random) -> str:
    """Return the name of a new session."""
    return f"{random.getrandbits(48):012x}"


def work(world: World) -> Iterator[Line]:
    """Yield the normal day of all applications."""
    return merge(*(_sessions(world, system) for system in SYSTEMS), key=lambda line: line.at)


def _sessions(world: World, system: System) -> Iterator[Line]:
    random, people = world.random(f"applications/{system.name}"), users(world, system)
    rhythm: Rhythm = {
        "office": world.office,
        "evening": world.evening,
        "public": world.public,
        "always": lambda _: 1.0,
    }[system.rhythm]

    def busy(at: datetime) -> float:
        return rhythm(at) * world.season(system.name, at.date())

    begins = arrivals(random, world.begin, world.end, system.per_hour * world.size, busy)
    return in_order((begin, _session(random, begin, system, random.choice(people))) for begin in begins)


def users(world: World, system: System) -> Sequence[Person]:
    """Return who works with a system: always the same ones, so that habits show."""
    if system.machine:
        return (Person(f"{system.name[:6]}-sync", 0, "H21.09", "-", "10.55.0.60"),)
    everyone = (*world.staff, *world.administrators)
    size = max(3, int(len(everyone) * system.share))
    first = sum(system.name.encode()) % len(everyone)
    return [everyone[(first + step) % len(everyone)] for step in range(size)]


def _session(random: Random, at: datetime, system: System, who: Person) -> Iterator[Line]:
    role, own = system.role, session(random)
    method = "cert" if system.machine else random.choice(("VNeID", "pwd", "OTP"))
    if not system.machine:
        if random.random() < MISTAKES:
            yield line(
                at, system.name, who, role, "login", result="failure", reason="wrong_password", auth_method=method
            )
            at = later(at, random, 4, 20)
        yield line(at, system.name, who, role, "login", auth_method=method, session_id=own)
    for _ in range(random.randrange(1, system.longest + 1)):
        at = later(at, random, *system.pace)
        act = random.choices(system.acts, [act.weight for act in system.acts])[0]
        yield line(at, system.name, who, role, act.name, **({"session_id": own} | act.fields(random, at)))
    if not system.machine and random.random() < 0.6:
        yield line(later(at, random, 5, 300), system.name, who, role, "logout", session_id=own)
