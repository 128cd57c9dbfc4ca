"""Networks and what is known of each: the narrowest one that holds an address, for many addresses at once.

Networks nest or lie apart, so the address space falls into spans of which each belongs to one network. A look-up is a
binary search over the spans' beginnings. IPv4 addresses stand among the IPv6 ones, where RFC 4291 maps them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

Network = IPv4Network | IPv6Network
Addresses = npt.NDArray[np.bytes_]  # 16 bytes each, network order
NONE: Final = -1
MAPPED: Final = b"\0" * 10 + b"\xff\xff"
NOWHERE: Final = bytes(16)
REMEMBERED: Final = 1 << 17  # addresses that come again in the next batch; some 30 MB
LAST: Final = (1 << 128) - 1


def packed(texts: Sequence[str]) -> tuple[Addresses, npt.NDArray[np.bool_]]:
    """Return addresses as bytes, and which of the texts are addresses."""
    found = [_packed(text) for text in texts]
    valid = np.fromiter(map(bool, found), np.bool_, len(found))
    return np.frombuffer(b"".join([each or NOWHERE for each in found]), dtype="S16"), valid


@lru_cache(maxsize=REMEMBERED)
def _packed(text: str) -> bytes | None:
    try:
        return (
            socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
            if ":" in text
            else MAPPED + socket.inet_pton(socket.AF_INET, text)
        )
    except (OSError, UnicodeError, ValueError):
        return None


def span(network: Network) -> tuple[int, int]:
    """Return the first and last address of a network as numbers among the IPv6 addresses."""
    base = int.from_bytes(MAPPED + b"\0" * 4) if network.version == 4 else 0
    first = base + int(network.network_address)
    return first, first + network.num_addresses - 1


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Spans of addresses: where each begins, and the number of its network."""

    begins: Addresses
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, networks: Iterable[Network]) -> Prefixes:
        """Number the networks in their order; of equal ones the last counts."""
        spans = [(*span(network), number) for number, network in enumerate(networks)]
        spans.sort(key=lambda each: (each[0], -each[1], each[2]))
        begins, numbers = [0], [NONE]
        open_: list[tuple[int, int]] = [(LAST, NONE)]  # last address and number of the networks around, widest first

        def begin(at: int, number: int) -> None:
            if begins[-1] == at:
                numbers[-1] = number
            else:
                begins.append(at)
                numbers.append(number)

        def close(before: int) -> None:
            while open_[-1][0] < before:
                last, _ = open_.pop()
                begin(last + 1, open_[-1][1])

        for first, last, number in spans:
            close(first)
            open_.append((last, number))
            begin(first, number)
        close(LAST)
        return cls(
            np.array([at.to_bytes(16) for at in begins], dtype="S16"),
            np.array(numbers, np.int32),
        )

    def find(self, addresses: Addresses) -> npt.NDArray[np.int32]:
        """Return the number of the narrowest network around each address, -1 where there is none."""
        places = np.searchsorted(self.begins, addresses, side="right") - 1
        return self.numbers[places]

    def look_up(self, texts: pl.Series) -> pl.Series:
        """Return the number for each text, looked up once per distinct one; null where there is none."""
        distinct = texts.unique().drop_nulls()
        addresses, valid = packed(distinct.to_list())
        numbers = np.where(valid, self.find(addresses), NONE) if distinct.len() else np.empty(0, np.int32)
        table = pl.DataFrame({"text": distinct, "number": pl.Series(numbers, dtype=pl.Int32)})
        found = texts.alias("text").to_frame().join(table, on="text", how="left", maintain_order="left")["number"]
        return found.set(found == NONE, None)


def conflicts(networks: Sequence[Network], values: Sequence[Any]) -> list[tuple[int, int]]:
    """Return pairs of places of equal networks that say different things."""
    first: dict[Network, int] = {}
    found = []
    for place, network in enumerate(networks):
        known = first.setdefault(network, place)
        if known != place and values[known] != values[place]:
            found.append((known, place))
    return found
