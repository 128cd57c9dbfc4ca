"""The whole province in one stream of lines, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from heapq import merge

from connectors.simulator import applications, auth, domain, hotline, infrastructure, network, portal, windows
from connectors.simulator.attacks import ATTACKS
from connectors.simulator.province import Province
from connectors.simulator.stream import Line
from connectors.simulator.world import build
from detectors.errors import UsageError

SOURCES = (
    portal.SOURCE,
    auth.SOURCE,
    windows.SOURCE,
    hotline.SOURCE,
    *applications.SOURCES,
    *infrastructure.SOURCES,
    *network.SOURCES,
)
MOST_DAYS = 366


def simulate(spec: Province, seed: int, start: date, days: int) -> Iterator[Line]:
    """Yield the lines of some days: equal arguments give equal lines on every machine.

    An attack takes part if the simulation reaches its day.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} days can't be simulated", fix=f"ask for 1 to {MOST_DAYS}")
    world = build(spec, seed, start, days)
    attacks = (attack.lines(world) for attack in ATTACKS if attack.day < days)
    normal = (part.work(world) for part in (portal, auth, domain, hotline, applications, infrastructure, network))
    lines = merge(*normal, *attacks, key=lambda line: line.at)
    return (line for line in lines if line.at < world.end)
