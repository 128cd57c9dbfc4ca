"""The whole province in one stream of lines, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from heapq import merge

from connectors.simulator import applications, auth, domain, hotline, infrastructure, leases, network, portal, windows
from connectors.simulator.attacks import ATTACKS, Attack
from connectors.simulator.province import Province
from connectors.simulator.stream import Line
from connectors.simulator.world import build
from detectors.errors import UsageError
from detectors.nearest import meant

SOURCES = (
    portal.SOURCE,
    auth.SOURCE,
    windows.SOURCE,
    hotline.SOURCE,
    *applications.SOURCES,
    *infrastructure.SOURCES,
    *network.SOURCES,
    leases.SOURCE,
)
MOST_DAYS = 366


def simulate(spec: Province, seed: int, start: date, days: int, scenarios: Sequence[str] = ()) -> Iterator[Line]:
    """Yield the lines of some days: equal arguments give equal lines on every machine.

    An attack takes part if the simulation reaches its day; of named ones (`scenarios`) only those, and all of them.

    Raises:
        UsageError: a span that can't be simulated, or an attack that is not, or that begins after it.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} days can't be simulated", fix=f"ask for 1 to {MOST_DAYS}")
    world = build(spec, seed, start, days)
    attacks = (attack.lines(world) for attack in chosen(scenarios, days))
    parts = (portal, auth, domain, hotline, applications, infrastructure, network, leases)
    normal = (part.work(world) for part in parts)
    lines = merge(*normal, *attacks, key=lambda line: line.at)
    return (line for line in lines if line.at < world.end)


def chosen(scenarios: Sequence[str], days: int) -> list[Attack]:
    """Return the attacks of those names, in the order of the list; of no names all that begin within the days."""
    if not scenarios:
        return [attack for attack in ATTACKS if attack.day < days]
    known = {attack.id: attack for attack in ATTACKS}
    for name in scenarios:
        if name not in known:
            fix = meant(name, known) or f"choose from {', '.join(known)}"
            raise UsageError(f"no attack is called {name!r}", fix=fix)
        if known[name].day >= days:
            first = known[name].day + 1
            raise UsageError(f"the attack {name} begins on day {first}", fix=f"simulate that many: --days {first}")
    return [attack for attack in ATTACKS if attack.id in scenarios]
