"""Networks by longest prefix, against the slow and obvious way."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.enrichment.kinds import kind
from connectors.enrichment.prefixes import Network, Prefixes

FOUR = st.integers(0, 2**32 - 1).map(lambda n: IPv4Address(n & 0xFFFF | 10 << 24))  # close together, so that they nest
SIX = st.integers(0, 2**128 - 1).map(lambda n: IPv6Address(n & 0xFFFF | 0x20010DB8 << 96))
ADDRESSES = st.one_of(FOUR, SIX)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    address = draw(ADDRESSES)
    width = draw(st.integers(address.max_prefixlen - 20, address.max_prefixlen))
    return ip_network(f"{address}/{width}", strict=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(networks(), max_size=12), st.lists(ADDRESSES, min_size=1, max_size=12))
def test_the_narrowest_network_is_found(nets: list[Network], addresses: list[IPv4Address | IPv6Address]) -> None:
    asked = [*addresses, *(net.network_address for net in nets), *(net.broadcast_address for net in nets)]
    found = Prefixes.of(nets).look_up(pl.Series([str(each) for each in asked])).to_list()
    for address, number in zip(asked, found, strict=True):
        around = [(net.prefixlen, place) for place, net in enumerate(nets) if address in net]
        assert number == (max(around)[1] if around else None)


def test_texts_that_are_no_addresses_are_in_no_network() -> None:
    everything = Prefixes.of([ip_network("::/0")])
    texts = ["10.0.0.1", "10.0.0", "", "localhost", "fe80::1%eth0", None, "1::2::3"]
    assert everything.look_up(pl.Series(texts)).to_list() == [0, None, None, None, 0, None, None]


def test_nothing_is_found_without_networks_or_addresses() -> None:
    assert Prefixes.of([]).look_up(pl.Series(["10.0.0.1"])).to_list() == [None]
    assert Prefixes.of([ip_network("10.0.0.0/8")]).look_up(pl.Series([], dtype=pl.String)).to_list() == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.52.9.14", "private"),
        ("192.0.2.7", "documentation"),
        ("100.64.0.1", "cgnat"),
        ("127.0.0.1", "loopback"),
        ("169.254.3.4", "link_local"),
        ("224.0.0.251", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("::ffff:192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("2001:db8::1", "documentation"),
        ("2606:4700::1", "public"),
        ("8.8.8.8", "public"),
    ],
)
def test_kinds_of_addresses(address: str, expected: str) -> None:
    assert kind(pl.Series([address, None])).to_list() == [expected, None]
    if expected in {"loopback", "multicast", "link_local"}:
        assert getattr(ip_address(address), f"is_{expected}")
