"""Kinds of addresses: private, loopback, documentation and so on (IANA special-purpose registries); `public` else."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

import polars as pl

from connectors.enrichment.prefixes import Prefixes

KINDS: Final = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "cgnat",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link_local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "reserved",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmark",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "255.255.255.255/32": "broadcast",
    "::/128": "unspecified",
    "::1/128": "loopback",
    "64:ff9b::/96": "translated",
    "100::/64": "discard",
    "2001:db8::/32": "documentation",
    "2002::/16": "tunnel",
    "2001::/32": "tunnel",
    "3fff::/20": "documentation",
    "fc00::/7": "private",
    "fe80::/10": "link_local",
    "ff00::/8": "multicast",
}
_PREFIXES: Final = Prefixes.of(ip_network(text) for text in KINDS)
_NAMES: Final = pl.Series([*KINDS.values(), "public"])


def kind(addresses: pl.Series) -> pl.Series:
    """Return the kind of each address; null where there is none."""
    numbers = _PREFIXES.look_up(addresses).fill_null(len(KINDS))
    return _NAMES.gather(numbers).set(addresses.is_null(), None).alias(addresses.name)
