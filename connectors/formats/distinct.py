"""Values as numbers of distinct texts, found through a table of their hashes.

Invariants: equal numbers are equal texts, and a text may have several numbers; a value takes a bounded number of steps.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.formats.hashing import NOWHERE, Ints, Records, Salt, hashed, same
from connectors.native import Bytes, Places, compiled

VALUE: Final = np.dtype([("hash", np.uint64), ("at", np.int64), ("size", np.int32), ("kind", np.int32)])
LONG, SAMPLE = 128, 64  # bytes: of a longer value only its ends are hashed, it is hardly ever met twice
PROBES: Final = 64  # places looked at for a value; beyond, it counts as new


class Cells(NamedTuple):
    """The values of lines: `codes[slot, row]` is a value's number, -1 none; a slot that isn't `filled` has none at all.

    `count` is how many values there are; `seen` tells in which row a node was met last.
    """

    codes: npt.NDArray[np.int32]
    filled: Bytes
    status: Bytes
    values: Records
    table: Ints  # values by hash
    total: Places  # one number
    seen: Places


@compiled
def coded(data: Bytes, at: int, size: int, kind: int, salt: Salt, values: Records, table: Ints, total: Places) -> int:
    """Return the number of a value."""
    last = np.uint64(table.size - 1)
    if size <= LONG:
        found = hashed(data, at, size, salt, kind)
    else:
        found = hashed(data, at, SAMPLE, salt, size) ^ hashed(data, at + size - SAMPLE, SAMPLE, salt, kind)
    place = found & last
    for _ in range(PROBES):
        code = table[place]
        if code < 0:
            table[place] = total[0]
            break
        value = values[code]
        if value.hash == found and value.size == size and value.kind == kind and same(data, value.at, data, at, size):
            return int(code)
        place = (place + np.uint64(1)) & last
    code = total[0]
    value = values[code]
    value.hash, value.at, value.size, value.kind = found, at, size, kind
    total[0] += 1
    return int(code)


@compiled
def put(
    data: Bytes,
    at: int,
    size: int,
    kind: int,
    slot: int,
    row: int,
    salt: Salt,
    codes: npt.NDArray[np.int32],
    filled: Bytes,
    values: Records,
    table: Ints,
    total: Places,
) -> None:
    """Note a value, unless its slot has one."""
    if filled[slot] == 0:
        filled[slot] = 1
        codes[slot, :] = NOWHERE
    if codes[slot, row] < 0:
        codes[slot, row] = coded(data, at, size, kind, salt, values, table, total)


@compiled
def rehash(cells: Cells) -> None:
    """Put the values into an empty table."""
    last = np.uint64(cells.table.size - 1)
    for code in range(cells.total[0]):
        place = cells.values[code].hash & last
        for _ in range(PROBES):
            if cells.table[place] < 0:
                cells.table[place] = code
                break
            place = (place + np.uint64(1)) & last
