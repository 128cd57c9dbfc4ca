r"""One pass over JSON lines, as machine code: every value that is asked for becomes the number of a distinct text.

    {"EventID":1,"Image":"C:\\a.exe","Image":"x"}    ─►  EventID → 0, Image → 1;   0: 1   1: C:\\a.exe

A line is checked whole, also where nobody asks for its values: it is JSON by the letter, or it is *odd*. Whatever the
scanner can't vouch for is odd too; the exact reader reads odd lines. Of equal keys the first one counts.

Invariants: no byte beyond the data is read; equal numbers are equal texts, and a text may have several numbers; the
time is linear in the data (a process's `salt` keeps a log from choosing values that hash alike).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.formats.layout import BLANK, CONTENT, FLAT, ODD_OBJECT, ODD_VALUE
from connectors.native import WIDTH, Bytes, Places, compiled, lowest, vector, word
from connectors.once import DEPTH

Ints = npt.NDArray[np.int32]
Records = npt.NDArray[np.void]
Salt = np.uint64

# kinds of values; a TEXT stands in the data as it is meant, REAL (a number, or a text with escapes) and WHOLE as JSON
NOTHING, TEXT, REAL, WHOLE, NULL = range(5)
# what a line is; above ODD a bit for each shape that it has
ODD: Final = 1
INNER: Final = 1  # a trait of nodes that have edges, beside those of places
XMLNS, MARKED = np.frombuffer(b"xmlns", np.uint8), np.frombuffer(b"_attributes", np.uint8)
NOWHERE: Final = -1
LONG, SAMPLE = 128, 64  # bytes: of a longer value only its ends are hashed, it is hardly ever met twice
QUOTE, BACKSLASH, COMMA, COLON, OBJECT, ARRAY, OBJECT_END, ARRAY_END = b'"\\,:{[}]'
PROBES: Final = 64  # places looked at for a value; beyond, it counts as new


EDGE: Final = np.dtype([("start", np.int32), ("size", np.int32), ("parent", np.int32), ("node", np.int32)])
NODE: Final = np.dtype(
    [("slot", np.int32), ("other", np.int32), ("traits", np.uint8), ("signs", np.uint8), ("object_signs", np.uint8)],
    align=True,
)
VALUE: Final = np.dtype([("hash", np.uint64), ("at", np.int64), ("size", np.int32), ("kind", np.int32)])
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
def hashed(data: Bytes, at: int, size: int, salt: Salt, seed: int) -> np.uint64:
    """Hash some bytes: multiply and fold, eight bytes a step."""
    found = (np.uint64(seed) + np.uint64(size)) * salt
    end = at + size
    while at + 8 <= end:
        found = (found ^ word(data, at)) * salt
        found ^= found >> np.uint64(29)
        at += 8
    if at < end:
        rest = np.uint64(0)
        if at + 8 <= data.size:
            rest = word(data, at) & ((np.uint64(1) << np.uint64(8 * (end - at))) - np.uint64(1))
        else:
            for place in range(end - 1, at - 1, -1):
                rest = (rest << np.uint64(8)) | np.uint64(data[place])
        found = (found ^ rest) * salt
        found ^= found >> np.uint64(29)
    return found ^ (found >> np.uint64(32))


@compiled
def same(one: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    """Compare some bytes."""
    done = 0
    while done + 8 <= size:
        if word(one, at + done) != word(other, place + done):
            return False
        done += 8
    while done < size:
        if one[at + done] != other[place + done]:
            return False
        done += 1
    return True


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
def blank(data: Bytes, at: int, end: int) -> int:
    """Return where blanks end."""
    while at < end and (data[at] == 32 or data[at] == 9 or data[at] == 10 or data[at] == 13):
        at += 1
    return at


@compiled
def digits(data: Bytes, at: int, end: int) -> int:
    """Return where decimal digits end."""
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at


@compiled
def string(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the text whose first character stands here has its closing quote, and its kind."""
    kind = TEXT
    while at < end:
        if at + WIDTH <= data.size:
            found = vector(data, at)
            if found == 0:
                at += WIDTH
                continue
            at += lowest(found)
            if at >= end:
                break
        byte = data[at]
        if byte == QUOTE:
            return at, kind
        if byte < 32:
            break
        if byte != BACKSLASH:
            at += 1
            continue
        kind = REAL
        size = escape(data, at, end)
        if size == 0:
            break
        at += size
    return at, NOTHING


@compiled
def escape(data: Bytes, at: int, end: int) -> int:
    """Return the size of the escape that begins here, 0 where it is none."""
    if at + 1 >= end:
        return 0
    byte = data[at + 1]
    if byte == 117:
        if at + 6 > end:
            return 0
        for place in range(at + 2, at + 6):
            lower = data[place] | 32
            if not (48 <= data[place] <= 57 or 97 <= lower <= 102):
                return 0
        return 6
    known = byte == 34 or byte == 92 or byte == 47 or byte == 98 or byte == 102 or byte == 110 or byte == 114
    return 2 if known or byte == 116 else 0


@compiled
def scalar(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a number, true, false or null ends, and its kind."""
    byte = data[at]
    if byte == 116 and at + 4 <= end and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4, TEXT
    if byte == 110 and at + 4 <= end and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return at + 4, NULL
    if (
        byte == 102
        and at + 5 <= end
        and data[at + 1] == 97
        and data[at + 2] == 108
        and data[at + 3] == 115
        and data[at + 4] == 101
    ):
        return at + 5, TEXT
    return number(data, at, end)


@compiled
def number(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a number ends, and its kind: an integer is its own text."""
    begin = at
    if data[at] == 45:
        at += 1
    first = at
    at = digits(data, at, end)
    if at == first or (data[first] == 48 and at > first + 1):
        return at, NOTHING
    kind = TEXT
    if at < end and data[at] == 46:
        kind, first = REAL, at + 1
        at = digits(data, first, end)
        if at == first:
            return at, NOTHING
    if at < end and data[at] | 32 == 101:
        kind, first = REAL, at + 1
        if first < end and (data[first] == 43 or data[first] == 45):
            first += 1
        at = digits(data, first, end)
        if at == first:
            return at, NOTHING
    if kind == TEXT and data[begin] == 45 and data[begin + 1] == 48:
        kind = WHOLE  # -0 is 0
    return at, kind


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
def attribute(data: Bytes, at: int, size: int) -> bool:
    """Say whether a key holds attributes and not data: `#…`, `@…`, `xmlns…`, `…_attributes`."""
    if size and (data[at] == 35 or data[at] == 64):
        return True
    return stands(data, at, at + size, XMLNS) or (
        size >= MARKED.size and stands(data, at + size - MARKED.size, at + size, MARKED)
    )


@compiled
def stands(data: Bytes, at: int, end: int, text: Bytes) -> bool:
    """Say whether a text stands here."""
    return end - at >= text.size and same(data, at, text, 0, text.size)


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
