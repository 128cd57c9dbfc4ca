r"""What patterns that are tried one after the other begin with alike, so that a text's beginning is read once for all.

    ^(?P<time>\S+) (?P<host>\S+) accepted (?P<user>\S+)
    ^(?P<time>\S+) (?P<host>\S+) refused (?P<user>\S+)

Behind what they share a mark notes where the first of them was. Where that could be in one way only, the next goes on
there, and what didn't fit there doesn't fit the next either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.patterns.syntax import Assertion, Choice, Group, Literal, Node, Repeated, Sequence
from connectors.patterns.trees import only


@dataclass(slots=True)
class Beginning:
    """So many parts, with which some patterns begin: those from one to another."""

    depth: int
    first: int
    last: int


@dataclass(slots=True)
class Beginnings:
    """What patterns share with those before them; each mark is for one of `every`."""

    every: list[Beginning] = field(default_factory=list)
    own: list[int] = field(default_factory=list)  # per pattern the number of what it shares with the one before, or -1

    def edges(self, number: int) -> dict[int, list[int]]:
        """Return the marks that a pattern sets, by how many of its parts stand before; none where it only goes on."""
        found: dict[int, list[int]] = {self.every[self.own[number]].depth: []} if self.own[number] >= 0 else {}
        for mark in self.marks(number):
            found[self.every[mark].depth] = [mark]
        return found

    def marks(self, number: int) -> list[int]:
        """Return the marks that patterns after this one need of it."""
        return [mark for mark, one in enumerate(self.every) if one.first <= number < one.last]


class Shares(NamedTuple):
    """What the machine is told of it."""

    resumes: npt.NDArray[np.int32]  # per pattern its mark or -1, and where it goes on behind what it shares
    marks: npt.NDArray[np.int32]  # the marks that patterns set
    spans: npt.NDArray[np.int32]  # which of these are a pattern's: the first, and the one behind the last
    depths: npt.NDArray[np.int32]  # per mark how many parts stand before it
    kept: npt.NDArray[np.bool_]  # per mark and place of a group, whether the group stands before it


def beginnings(trees: Several[Node]) -> Beginnings:
    """Return what patterns share with those before them."""
    found, open_ = Beginnings(), list[int]()
    for number, tree in enumerate(trees):
        depth = _common(trees[number - 1], tree) if number else 0
        while open_ and found.every[open_[-1]].depth > depth:
            open_.pop()
        if depth and not (open_ and found.every[open_[-1]].depth == depth):
            open_.append(len(found.every))
            found.every.append(Beginning(depth, number - 1, number))
        for mark in open_:
            found.every[mark].last = number
        found.own.append(open_[-1] if depth else -1)
    return found


def shares(
    common: Beginnings, trees: Several[Node], after: Several[Mapping[int, int]], places: Mapping[str, int]
) -> Shares:
    """Return what the machine needs; `after` tells by pattern where it goes on behind so many of its parts."""
    resumes = [
        (mark, after[number][common.every[mark].depth] if mark >= 0 else 0) for number, mark in enumerate(common.own)
    ]
    marks = [common.marks(number) for number in range(len(trees))]
    edges = np.cumsum([0, *map(len, marks)])
    kept = np.zeros((len(common.every), 2 * len(places)), np.bool_)
    for mark, one in enumerate(common.every):
        for name in (name for part in _parts(trees[one.first])[: one.depth] for name in _names(part)):
            if name in places:
                kept[mark, 2 * places[name] : 2 * places[name] + 2] = True
    return Shares(
        np.array(resumes, np.int32).reshape(-1, 2),
        np.array([mark for each in marks for mark in each], np.int32),
        np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int32),
        np.array([one.depth for one in common.every], np.int32),
        kept,
    )


def _parts(tree: Node) -> tuple[Node, ...]:
    return tree.parts if isinstance(tree, Sequence) else ()


def _common(one: Node, other: Node) -> int:
    """Return how many parts two patterns begin with alike, the last a certain character: no run goes on beyond it."""
    if _parts(one)[:1] != (Assertion("begin"),):
        return 0
    pairs = [*zip(_parts(one), _parts(other), strict=False)]
    depth = next((place for place, (part, same) in enumerate(pairs) if part != same), len(pairs))
    while depth and not (only(pairs[depth - 1][0]) or isinstance(pairs[depth - 1][0], Literal)):
        depth -= 1
    return depth


def _names(node: Node) -> Iterator[str]:
    """Yield the names of the groups of a part."""
    if isinstance(node, Group):
        yield node.name
        yield from _names(node.part)
    elif isinstance(node, Repeated):
        yield from _names(node.part)
    elif isinstance(node, Sequence | Choice):
        for part in node.parts if isinstance(node, Sequence) else node.ways:
            yield from _names(part)
