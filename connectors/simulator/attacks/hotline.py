"""Attacks on the 1022 hotline, as its application log shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator import hotline
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World


def takeover(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody outside has the supervisor's password after a few tries, and carries complaints away."""
    boss, ip = world.agents[0], world.strangers[8]
    for _ in range(6):
        yield hotline.line(at, boss, "supervisor", "login", ip=ip, result="failure", reason="wrong_password")
        at = later(at, random, 5, 40)
    yield hotline.line(at, boss, "supervisor", "login", ip=ip, session=f"{random.getrandbits(64):016x}")
    for _ in range(5):
        at = later(at, random, 20, 90)
        records = random.randrange(2_000, 5_000)
        yield hotline.line(at, boss, "supervisor", "export_tickets", ip=ip, records=records, format="csv")


def reporter_browsing(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An agent looks at who complained, in complaints that aren't theirs: each look alone is allowed."""
    agent = world.agents[2]
    for _ in range(40):
        number, caller = hotline.ticket(at, random), hotline.phone(random)
        yield hotline.line(at, agent, "agent", "view_reporter", ticket=number, phone=caller)
        at = later(at, random, 120, 700)
