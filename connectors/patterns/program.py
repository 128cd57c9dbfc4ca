"""Turns patterns into instructions for the machine."""

from __future__ import annotations

from collections.abc import Sequence as Several
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.patterns.codes import BEGIN
from connectors.patterns.firsts import first, fused, guard, sharpened
from connectors.patterns.letters import NOTHING, SIZE
from connectors.patterns.maker import Maker, TooLongError
from connectors.patterns.shared import Shares, beginnings, shares
from connectors.patterns.syntax import Node, parse
from connectors.patterns.trees import needles, prefix

SHORT: Final = 3  # bytes: what is shorter is in most lines
ROWS: Final = (-1, 2)


class Program(NamedTuple):
    """Patterns for the machine: each begins at one of `entries`, `firsts` are guards of where it can."""

    code: npt.NDArray[np.int32]  # five numbers per instruction: what it does, a, b, c, d
    sets: npt.NDArray[np.uint8]  # a row per class: the state of every byte
    texts: npt.NDArray[np.uint8]
    entries: npt.NDArray[np.int32]
    firsts: npt.NDArray[np.int32]
    bound: npt.NDArray[np.bool_]  # whether it fits only at the beginning
    leads: npt.NDArray[np.int32]  # begin and size of the text that whatever fits begins with
    needles: npt.NDArray[np.int32]  # begin and size of texts, one of which is in whatever fits
    sought: npt.NDArray[np.int32]  # which of these are a pattern's: the first, and the one behind the last
    shares: Shares


@lru_cache(maxsize=4_000)
def program(patterns: Several[str], names: Several[str]) -> Program | None:
    """Return the instructions for patterns that are tried in their order, and whose groups have these places."""
    trees = [tree for pattern in patterns if (tree := parse(pattern)) is not None]
    if len(trees) < len(patterns):
        return None
    made = Maker({name: place for place, name in enumerate(names)})
    common = beginnings(trees)
    entries, after = [], []
    try:
        for number, tree in enumerate(trees):
            entries.append(len(made.code))
            after.append(made.whole(tree, common.edges(number)))
    except TooLongError:
        return None
    sharpened(made)
    firsts = [guard(made, first(made, entry)) for entry in entries]
    bound = [made.code[entry][0] == BEGIN for entry in entries]
    fused(made)
    found = [_kept(made, tree) for tree in trees]
    edges = np.cumsum([0, *(len(texts) for _, texts in found)])
    return Program(
        np.array(made.code, np.int32).reshape(-1),
        np.frombuffer(b"".join(made.sets) or NOTHING, np.uint8).reshape(-1, SIZE),
        np.frombuffer(bytes(made.texts) or b"\0", np.uint8),
        np.array(entries, np.int32),
        np.array(firsts, np.int32),
        np.array(bound),
        np.array([lead for lead, _ in found], np.int32).reshape(ROWS),
        np.array([text for _, texts in found for text in texts], np.int32).reshape(ROWS),
        np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int32),
        shares(common, trees, after, made.places),
    )


def _kept(made: Maker, tree: Node) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """Keep what a pattern begins with, and texts that it holds one of, where they tell more; return where they are."""
    lead, texts = prefix(tree), needles(tree)
    if len(lead) < 2:
        lead = b""
    if any(len(text) < SHORT or text in lead for text in texts):
        texts = frozenset()
    return (made.text(lead), len(lead)), [(made.text(text), len(text)) for text in sorted(texts)]
