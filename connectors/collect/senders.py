"""Which source a sender's lines belong to, by the network it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


class Senders:
    """Networks and their sources; the narrowest network that holds an address decides.

    Without a network for it an address has the `otherwise` source; None refuses it.
    """

    def __init__(self, networks: Mapping[Network, str], otherwise: str | None) -> None:
        self._networks = sorted(networks.items(), key=lambda each: -each[0].prefixlen)
        self._otherwise = otherwise
        self.source = lru_cache(maxsize=65_536)(self._source)

    def _source(self, address: str) -> str | None:
        place = plain_address(address)
        for network, source in self._networks:
            if place in network:
                return source
        return self._otherwise


@lru_cache(maxsize=65_536)
def plain_text(address: object) -> str:
    """Return how an address is written, for one that a socket told; anything else as it is."""
    try:
        return str(plain_address(str(address)))
    except ValueError:
        return str(address)


def plain_address(address: str) -> IPv4Address | IPv6Address:
    """Return an address without its scope, and an IPv4 address that came by an IPv6 socket as what it is."""
    place = ip_address(address.partition("%")[0])
    mapped = place.ipv4_mapped if isinstance(place, IPv6Address) else None
    return mapped or place
