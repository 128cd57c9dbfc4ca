"""Whether addresses lie in any of many networks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network

Spans = tuple[list[int], list[int]]  # first and last addresses of spans that lie apart, in order


class Networks:
    """Many networks as few spans: a look-up takes as many steps as the number of spans has binary digits."""

    def __init__(self, networks: Iterable[str]) -> None:
        found: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for text in networks:
            network = ip_network(text)
            first = int(network.network_address)
            found[network.version].append((first, first + network.num_addresses - 1))
        self._spans = {version: _joined(sorted(spans)) for version, spans in found.items()}

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        firsts, lasts = self._spans[address.version]
        place = bisect_right(firsts, int(address)) - 1
        return place >= 0 and int(address) <= lasts[place]


@lru_cache(maxsize=256)
def networks(texts: tuple[str, ...]) -> Networks:
    """Return the networks of a predicate, worked out once."""
    return Networks(texts)


def _joined(spans: list[tuple[int, int]]) -> Spans:
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in spans:
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
