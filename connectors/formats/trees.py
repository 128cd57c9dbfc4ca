"""A layout as the scanner reads it: edges between numbered nodes, and slots for values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from connectors.formats import scanner
from connectors.formats.hashing import NOWHERE
from connectors.formats.layout import ANY, CONTENT, FLAT, Layout, Path
from connectors.formats.scanner import INNER, Tree

TEXT: Final = "#text"  # what an object with attributes stands for


@dataclass(frozen=True, slots=True)
class Map:
    """A layout as the scanner reads it; `slots` are per shape and column the slots of its places, the best first."""

    tree: Tree
    slots: Sequence[Mapping[str, Sequence[int]]]
    count: int


class _Nodes:
    """The nodes of a tree in the making: node 0 is the record."""

    def __init__(self) -> None:
        self.edges: dict[tuple[int, str], int] = {}
        self.slot, self.other, self.traits = [NOWHERE], [NOWHERE], [INNER]

    def at(self, path: Path) -> int:
        """Return the node at a path, made where there is none."""
        node = 0
        for key in path:
            self.traits[node] |= INNER
            if key == ANY:
                self.other[node] = self.other[node] if self.other[node] >= 0 else self._new()
                node = self.other[node]
                continue
            if (node, key) not in self.edges:
                self.edges[node, key] = self._new()
            node = self.edges[node, key]
        return node

    def _new(self) -> int:
        self.slot.append(NOWHERE)
        self.other.append(NOWHERE)
        self.traits.append(0)
        return len(self.slot) - 1


@lru_cache(maxsize=64)
def mapped(layout_of: Callable[[frozenset[str]], Layout], wanted: frozenset[str]) -> Map:
    """Return what the scanner needs to read these columns."""
    layout = layout_of(wanted)
    nodes, slots, count = _Nodes(), list[dict[str, list[int]]](), 0
    for shape in layout.shapes:
        found: dict[str, list[int]] = {}
        for name, places in shape.items():
            for place in places:
                node = nodes.at(place.path)
                nodes.traits[node] |= place.traits
                if nodes.slot[node] < 0:
                    nodes.slot[node], count = count, count + 1
                found.setdefault(name, []).append(nodes.slot[node])
                if place.traits & CONTENT:
                    text = nodes.at((*place.path, TEXT))
                    nodes.slot[text] = nodes.slot[node]
                    nodes.traits[text] |= place.traits & ~(CONTENT | INNER)
        slots.append(found)
    for path, traits in layout.others.items():
        nodes.traits[nodes.at(path)] |= traits
    signs, object_signs = (
        {nodes.at(path): shape for path, shape in each.items()} for each in (layout.signs, layout.object_signs)
    )
    if layout.through:
        nodes.traits = [traits | (FLAT if traits & INNER else 0) for traits in nodes.traits]
    return Map(_planted(nodes, signs, object_signs), slots, count)


def _planted(nodes: _Nodes, signs: Mapping[int, int], object_signs: Mapping[int, int]) -> Tree:
    keys = [key.encode("utf-8", "surrogatepass") for _, key in nodes.edges]
    sizes = np.array([*map(len, keys)], np.int32)
    edges = np.zeros(len(keys), scanner.EDGE)
    edges["start"], edges["size"] = np.cumsum(sizes) - sizes, sizes
    edges["parent"], edges["node"] = [parent for parent, _ in nodes.edges], [*nodes.edges.values()]
    made = np.zeros(len(nodes.slot), scanner.NODE)
    made["slot"], made["other"], made["traits"] = nodes.slot, nodes.other, nodes.traits
    for name, shapes in (("signs", signs), ("object_signs", object_signs)):
        for node, shape in shapes.items():
            made[name][node] = 2 << shape  # bit 0 says that a line is odd
    table = np.full(1 << (4 * len(keys)).bit_length(), NOWHERE, np.int32)
    salt = np.uint64(int.from_bytes(os.urandom(8), "little") | 1)
    tree = Tree(np.frombuffer(b"".join(keys) or b"\0", np.uint8), edges, made, table, salt)
    scanner.plant(tree)
    return tree
