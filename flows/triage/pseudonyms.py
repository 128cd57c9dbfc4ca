"""Names that stand for others: what an event says of people and machines, replaced alike wherever it stands.

Nothing leads back: a pseudonym is a number in the order in which names come, not made of the name. Addresses become
addresses of the documentation ranges (RFC 5737, RFC 3849) or of the same private network, so what they are stays.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

WHO: Final = {
    "user.name": "user", "user.full_name": "user", "user.target.name": "user", "user.email": "mail",
    "host.name": "host", "host.hostname": "host", "url.domain": "host", "source.domain": "host",
    "source.ip": "address", "destination.ip": "address", "host.ip": "address", "client.ip": "address",
    "related.user": "user", "related.hosts": "host", "related.ip": "address",
}  # fmt: skip
MAIL: Final = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
NUMBER: Final = re.compile(r"(?<![0-9A-Za-z_.])\+?\d{9,15}(?![0-9A-Za-z_.])")  # of phones, citizens, insurance
PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
SHORTEST: Final = 3  # characters; a shorter name may be part of anything


@dataclass(slots=True)
class Pseudonyms:
    """Gives each value its pseudonym, the same each time."""

    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _count: dict[str, int] = field(default_factory=dict)

    def of(self, kind: str, value: str) -> str:
        """Return the pseudonym of a value of a kind: user, host, address, mail, number."""
        known = self._given.get((kind, value))
        if known is None:
            known = self._given[kind, value] = self._new(kind, value)
        return known

    def _new(self, kind: str, value: str) -> str:
        if kind == "address":
            return self._address(value)
        number = self._next(kind)
        if kind == "mail":
            return f"user{number}@example.org"
        if kind == "number":
            return f"{number:0{len(value)}d}"
        return f"{kind}{number}" + (".example" if "." in value else "")

    def _address(self, value: str) -> str:
        address = ipaddress.ip_address(value)
        if isinstance(address, ipaddress.IPv6Address):
            return f"2001:db8::{self._next('v6'):x}"
        inside = next((net for net in map(ipaddress.ip_network, PRIVATE) if address in net), None)
        if inside is not None:
            return str(inside.network_address + self._next(str(inside)))
        return f"203.0.113.{self._next('v4') % 254 + 1}"

    def _next(self, kind: str) -> int:
        self._count[kind] = self._count.get(kind, 0) + 1
        return self._count[kind]


def named(fields: Mapping[str, Any], text: str) -> Iterator[tuple[str, str]]:
    """Yield what an event says of people and machines, as kind and value: in its fields, and by shape in its text."""
    for name, kind in WHO.items():
        values = fields.get(name)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str) and len(value) >= SHORTEST and (kind != "address" or _plain(value)):
                yield kind, value
    yield from (("mail", value) for value in MAIL.findall(text))
    yield from (("number", value) for value in NUMBER.findall(text))


def _plain(value: str) -> bool:
    """Say whether a value is an address that tells anybody: not the machine itself, and no whole network."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)
