"""The DHCP server of the dedicated network: machines get their addresses in the morning and renew them all day.

Mar  9 07:58:11 dhcp01 dhcpd[1180]: DHCPACK on 10.52.9.14 to 00:00:5e:00:53:2a (pc-1104) via eth0
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator.portal import MONTHS
from connectors.simulator.stream import Line, arrivals, in_order, later
from connectors.simulator.world import Person, World

SOURCE = "dhcp_server"
ROAMED = 0.002  # of requests come from a laptop that was at home before


def line(at: datetime, text: str) -> Line:
    """Write one line of dhcpd."""
    return Line(at, SOURCE, f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} dhcp01 dhcpd[1180]: {text}")


def mac(number: int) -> str:
    """Return the hardware address of a machine, of those kept for documentation (RFC 7042)."""
    return f"00:00:5e:00:53:{number % 256:02x}"


def work(world: World) -> Iterator[Line]:
    """Yield the normal day."""
    random = world.random("leases")

    def awake(at: datetime) -> float:
        return max(0.05, world.office(at))

    begins = arrivals(random, world.begin, world.end, 45 * world.size, awake)
    return in_order((at, _lease(random, at, random.choice(world.staff))) for at in begins)


def _lease(random: Random, at: datetime, who: Person) -> Iterator[Line]:
    machine = f"{mac(who.number)} ({who.computer})"
    if random.random() < ROAMED:
        yield line(at, f"DHCPREQUEST for 10.0.1.{random.randrange(2, 90)} from {machine} via eth0: wrong network.")
        at = later(at, random, 0.1, 1)
    if random.random() < 0.2:
        yield line(at, f"DHCPDISCOVER from {machine} via eth0")
        at = later(at, random, 0.05, 1)
        yield line(at, f"DHCPOFFER on {who.ip} to {machine} via eth0")
        at = later(at, random, 0.05, 0.4)
    yield line(at, f"DHCPREQUEST for {who.ip} from {machine} via eth0")
    yield line(later(at, random, 0.01, 0.2), f"DHCPACK on {who.ip} to {machine} via eth0")
