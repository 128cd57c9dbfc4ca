"""Who attacks the applications, and with whose account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from connectors.simulator.applications import BY_NAME, line, users
from connectors.simulator.stream import Line
from connectors.simulator.world import Person, World


class Act(Protocol):
    """Writes one act of an account in a system."""

    def __call__(self, at: datetime, action: str, **more: object) -> Line: ...


def user(world: World, system: str, place: int = 0) -> Person:
    """Return one of those who work with a system."""
    people = users(world, BY_NAME[system])
    return people[place % len(people)]


def outside(world: World, who: Person, number: int) -> Person:
    """Return somebody's account in the hands of a stranger."""
    return replace(who, ip=world.strangers[number])


def machine(name: str, unit: str, ip: str) -> Person:
    """Return an account that belongs to nobody on the staff."""
    return Person(name, 0, unit, "-", ip)


def acting(system: str, who: Person, role: str, **always: object) -> Act:
    """Return what writes an act of somebody in a system, with fields that all of these acts have."""

    def act(at: datetime, action: str, **more: object) -> Line:
        return line(at, system, who, role, action, **(more | always))

    return act
