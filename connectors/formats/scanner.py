r"""One pass over JSON lines, as machine code: every value that is asked for becomes the number of a distinct text.

    {"EventID":1,"Image":"C:\\a.exe","Image":"x"}    ─►  EventID → 0, Image → 1;   0: 1   1: C:\\a.exe

A line is checked whole, also where nobody asks for its values: it is JSON by the letter, or it is *odd*. Whatever the
scanner can't vouch for is odd too; the exact reader reads odd lines. Of equal keys the first one counts.

Invariants: no byte beyond the data is read; the time is linear in the data.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.formats.distinct import Cells, put
from connectors.formats.hashing import NOWHERE, Ints, Records, Salt, hashed, same, stands
from connectors.formats.layout import BLANK, CONTENT, FLAT, ODD_OBJECT, ODD_VALUE
from connectors.formats.literals import NOTHING, NULL, QUOTE, REAL, TEXT, WHOLE, blank, scalar, string
from connectors.native import Bytes, Places, compiled
from connectors.once import DEPTH

# what a line is; above ODD a bit for each shape that it has
ODD: Final = 1
INNER: Final = 1  # a trait of nodes that have edges, beside those of places
XMLNS, MARKED = np.frombuffer(b"xmlns", np.uint8), np.frombuffer(b"_attributes", np.uint8)
COMMA, COLON, OBJECT, ARRAY, OBJECT_END, ARRAY_END = b",:{[}]"

EDGE: Final = np.dtype([("start", np.int32), ("size", np.int32), ("parent", np.int32), ("node", np.int32)])
NODE: Final = np.dtype(
    [("slot", np.int32), ("other", np.int32), ("traits", np.uint8), ("signs", np.uint8), ("object_signs", np.uint8)],
    align=True,
)
CONTAINER: Final = np.dtype(
    [
        ("begin", np.int64),
        ("node", np.int32),
        ("slot", np.int32),  # where it goes as a whole
        ("content", np.int32),  # a slot that must have a value when it ends
        ("is_object", np.uint8),
        ("flat", np.uint8),  # no object may follow
    ],
    align=True,
)


class Tree(NamedTuple):
    """The keys that are asked for: edges from node to node, node 0 being the record.

    A node's `slot` is where its value goes, `other` the node of keys that no edge names; `signs` are the shapes that
    any value here shows, `object_signs` those that an object does.
    """

    keys: Bytes  # of all edges
    edges: Records
    nodes: Records
    table: Ints  # edges by hash
    salt: Salt


@compiled
def plant(tree: Tree) -> None:
    """Put the edges of a tree into its table."""
    last = np.uint64(tree.table.size - 1)
    for edge in range(tree.edges.size):
        at = hashed(tree.keys, tree.edges[edge].start, tree.edges[edge].size, tree.salt, tree.edges[edge].parent) & last
        while tree.table[at] >= 0:
            at = (at + np.uint64(1)) & last
        tree.table[at] = edge


@compiled
def follow(data: Bytes, at: int, size: int, parent: int, keys: Bytes, edges: Records, table: Ints, salt: Salt) -> int:
    """Return the node that a key leads to."""
    last = np.uint64(table.size - 1)
    place = hashed(data, at, size, salt, parent) & last
    while table[place] >= 0:
        edge = edges[table[place]]
        if edge.parent == parent and edge.size == size and same(keys, edge.start, data, at, size):
            return int(edge.node)
        place = (place + np.uint64(1)) & last
    return NOWHERE


@compiled
def attribute(data: Bytes, at: int, size: int) -> bool:
    """Say whether a key holds attributes and not data: `#…`, `@…`, `xmlns…`, `…_attributes`."""
    if size and (data[at] == 35 or data[at] == 64):
        return True
    return stands(data, at, at + size, XMLNS) or (
        size >= MARKED.size and stands(data, at + size - MARKED.size, at + size, MARKED)
    )


@compiled
def line(
    data: Bytes,
    at: int,
    end: int,
    row: int,
    keys: Bytes,
    edges: Records,
    nodes: Records,
    hashes: Ints,
    salt: Salt,
    codes: npt.NDArray[np.int32],
    filled: Bytes,
    values: Records,
    table: Ints,
    total: Places,
    seen: Places,
    around: Records,
) -> int:
    """Read a line; return its status."""
    status, depth, node = 0, -1, 0
    at = blank(data, at, end)
    if at >= end or data[at] != OBJECT:
        return ODD
    while True:
        if depth >= 0:  # at a member
            node = NOWHERE
            if around[depth].is_object:
                if at >= end or data[at] != QUOTE:
                    return ODD
                key = at + 1
                at, kind = string(data, key, end)
                if kind == NOTHING:
                    return ODD
                parent = around[depth].node
                if parent >= 0:
                    if kind != TEXT:
                        return ODD
                    node = follow(data, key, at - key, parent, keys, edges, hashes, salt)
                    if node >= 0:
                        if seen[node] == row:
                            node = NOWHERE
                        else:
                            seen[node] = row
                    elif around[depth].content >= 0:
                        if not attribute(data, key, at - key):
                            return ODD
                    else:
                        node = nodes[parent].other
                        if node >= 0 and nodes[node].traits & INNER and attribute(data, key, at - key):
                            node = NOWHERE
                at = blank(data, at + 1, end)
                if at >= end or data[at] != COLON:
                    return ODD
                at = blank(data, at + 1, end)
            if at >= end:
                return ODD
        traits, slot = 0, NOWHERE
        if node >= 0:
            traits, slot = nodes[node].traits, nodes[node].slot
            status |= nodes[node].signs
            if traits & ODD_VALUE:
                return ODD
        byte = data[at]
        if byte in (OBJECT, ARRAY):
            flat = depth >= 0 and around[depth].flat
            if byte == OBJECT:
                if flat or traits & ODD_OBJECT:
                    return ODD
                if node >= 0:
                    status |= nodes[node].object_signs
            depth += 1
            if depth > DEPTH:
                return ODD
            around[depth].is_object = byte == OBJECT
            around[depth].flat = flat or (byte == ARRAY and traits & FLAT != 0)
            around[depth].begin = at
            as_content = byte == OBJECT and traits & CONTENT != 0
            around[depth].content = slot if as_content else NOWHERE
            around[depth].slot = NOWHERE if as_content else slot
            around[depth].node = node if byte == OBJECT and traits & INNER else NOWHERE
            at = blank(data, at + 1, end)
            if at >= end:
                return ODD
            if data[at] != byte + 2:
                continue
        elif byte == QUOTE:
            begin = at + 1
            at, kind = string(data, begin, end)
            if kind == NOTHING:
                return ODD
            if slot >= 0:
                if kind == TEXT:
                    put(data, begin, at - begin, TEXT, slot, row, salt, codes, filled, values, table, total)
                else:
                    put(data, begin - 1, at - begin + 2, REAL, slot, row, salt, codes, filled, values, table, total)
            at += 1
        else:
            begin = at
            at, kind = scalar(data, begin, end)
            if kind == NOTHING:
                return ODD
            if slot >= 0:
                if kind != NULL:
                    put(data, begin, at - begin, kind, slot, row, salt, codes, filled, values, table, total)
                elif traits & BLANK:
                    put(data, begin, 0, TEXT, slot, row, salt, codes, filled, values, table, total)
        while True:  # what ends here
            at = blank(data, at, end)
            if depth < 0:
                return status if at >= end else ODD
            if at >= end:
                return ODD
            if data[at] == COMMA:
                at = blank(data, at + 1, end)
                break
            if data[at] != (OBJECT_END if around[depth].is_object else ARRAY_END):
                return ODD
            at += 1
            content, slot = around[depth].content, around[depth].slot
            if content >= 0 and (filled[content] == 0 or codes[content, row] < 0):
                return ODD
            if slot >= 0:
                put(
                    data,
                    around[depth].begin,
                    at - around[depth].begin,
                    WHOLE,
                    slot,
                    row,
                    salt,
                    codes,
                    filled,
                    values,
                    table,
                    total,
                )
            depth -= 1


@compiled
def scan(data: Bytes, starts: Places, ends: Places, row: int, tree: Tree, cells: Cells, around: Records) -> int:
    """Read lines from one on; return where there is no room for the values of one more."""
    keys, edges, nodes, hashes, salt = tree
    codes, filled, status, values, table, total, seen = cells
    while row < starts.size:
        needed = total[0] + filled.size
        if needed > values.size or 2 * needed > table.size:
            break
        status[row] = line(
            data,
            starts[row],
            ends[row],
            row,
            keys,
            edges,
            nodes,
            hashes,
            salt,
            codes,
            filled,
            values,
            table,
            total,
            seen,
            around,
        )
        row += 1
    return row
