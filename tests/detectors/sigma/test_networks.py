"""Many networks are what each of them is."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from detectors.sigma.networks import Networks

v4 = st.tuples(st.integers(0, 2**8 - 1), st.integers(24, 32)).map(lambda pair: IPv4Network(pair, strict=False))
v6 = st.tuples(st.integers(0, 2**8 - 1), st.integers(120, 128)).map(lambda pair: IPv6Network(pair, strict=False))
addresses = st.integers(0, 2**8 + 1).flatmap(
    lambda number: st.sampled_from([f"0.0.{number >> 8}.{number & 255}", f"::{number:x}"])
)


@given(st.lists(st.one_of(v4, v6), max_size=8), addresses)
def test_an_address_is_in_many_networks_if_it_is_in_one(known: list[IPv4Network | IPv6Network], text: str) -> None:
    address = ip_address(text)
    assert (address in Networks(map(str, known))) == any(address in ip_network(str(each)) for each in known)
