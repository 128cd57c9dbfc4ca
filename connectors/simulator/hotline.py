"""The application log of the 1022 hotline: one JSON object per line.

{"time":"2026-11-18T08:01:12.512+07:00","host":"hotline01","user":"lannt","action":"view_ticket",…}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from random import Random

import orjson

from connectors.simulator.stream import Line, arrivals, in_order, later
from connectors.simulator.world import Person, World

SOURCE = "hotline_1022"
HOST = "hotline01"
CHANNELS = ("phone", "phone", "phone", "web", "app", "zalo")
STEPS = ("view_ticket", "listen_recording", "update_ticket", "assign_ticket", "reply_ticket", "close_ticket")


def line(at: datetime, who: Person, role: str, action: str, **more: str | int) -> Line:
    """Write one act of a user; `more` are fields such as ticket, records, reason, or another ip."""
    record: dict[str, str | int] = {
        "time": at.isoformat(timespec="milliseconds"),
        "host": HOST,
        "user": who.user,
        "role": role,
        "unit": who.unit,
        "action": action,
        "ip": who.ip,
        "result": "success",
    }
    return Line(at, SOURCE, orjson.dumps(record | more).decode())


def ticket(at: datetime, random: Random) -> str:
    """Return the number of a complaint of the last days."""
    day = at.date() - timedelta(days=random.randrange(4))
    return f"1022-{day:%y%m%d}-{random.randrange(1, 900):04}"


def phone(random: Random) -> str:
    """Return a caller's number, masked; 0900 000 is nobody's."""
    return f"0900***{random.randrange(1000):03}"


def work(world: World) -> Iterator[Line]:
    """Yield what agents and the supervisor do, day and night shift."""
    return merge(_logins(world), _calls(world), _supervision(world), _statistics(world), key=lambda line: line.at)


def _shifts(at: datetime) -> float:
    """Two shifts from 7 to 21, and one or two people at night."""
    return (1.0 if at.hour in {8, 9, 10, 14, 15, 16} else 0.6) if 7 <= at.hour < 21 else 0.08


def _on_duty(world: World, at: datetime) -> tuple[Person, ...]:
    everyone = world.agents[1:]  # the first of them is the supervisor
    if not 7 <= at.hour < 21:
        return everyone[:2]
    half = len(everyone) // 2
    return everyone[:half] if at.hour < 14 else everyone[half:]


def _logins(world: World) -> Iterator[Line]:
    random, day = world.random("hotline/logins"), world.begin
    while day < world.end:
        for hour in (0, 7, 14, 21):
            at = day + timedelta(hours=hour)
            begins = sorted((later(at, random, 0, 900), who.user, who) for who in _on_duty(world, at))
            yield from in_order((begin, _login(random, begin, who)) for begin, _, who in begins)
        day += timedelta(days=1)


def _login(random: Random, at: datetime, who: Person) -> Iterator[Line]:
    session = f"{random.getrandbits(64):016x}"
    if random.random() < 0.15:
        yield line(at, who, "agent", "login", result="failure", reason="wrong_password")
        at = later(at, random, 4, 20)
    yield line(at, who, "agent", "login", session=session)


def _calls(world: World) -> Iterator[Line]:
    random = world.random("hotline/calls")
    begins = arrivals(random, world.begin, world.end, world.spec.hotline.calls_per_hour, _shifts)
    return in_order((begin, _call(world, random, begin)) for begin in begins)


def _call(world: World, random: Random, at: datetime) -> Iterator[Line]:
    who, number = random.choice(_on_duty(world, at)), f"1022-{at:%y%m%d}-{random.randrange(1, 900):04}"
    channel, caller = random.choice(CHANNELS), phone(random)
    yield line(at, who, "agent", "create_ticket", ticket=number, channel=channel, phone=caller)
    for action in STEPS[: random.randrange(1, len(STEPS) + 1)]:
        at = later(at, random, 15, 240)
        result = "denied" if action == "listen_recording" and random.random() < 0.03 else "success"
        yield line(at, who, "agent", action, ticket=number, phone=caller, result=result)
    if random.random() < 0.02:  # to call back, an agent may see who asked
        yield line(later(at, random, 5, 60), who, "agent", "view_reporter", ticket=number, phone=caller)


def _supervision(world: World) -> Iterator[Line]:
    random, boss = world.random("hotline/supervision"), world.agents[0]
    for at in arrivals(random, world.begin, world.end, 12, world.office):
        if random.random() < 0.06:
            yield line(at, boss, "supervisor", "export_tickets", records=random.randrange(20, 260), format="xlsx")
        else:
            yield line(at, boss, "supervisor", random.choice(STEPS[:4]), ticket=ticket(at, random))


def _statistics(world: World) -> Iterator[Line]:
    """Every night the reporting system counts the tickets of the day."""
    at, robot = (
        world.begin + timedelta(hours=23, minutes=50),
        Person("report-bot", 0, world.spec.hotline.unit, "-", "10.55.0.61"),
    )
    while at < world.end:
        yield line(at, robot, "service", "export_statistics", records=135, format="json")
        at += timedelta(days=1)
