"""What the trees of patterns tell before they become instructions: texts that must be there, and what may be empty."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from connectors.patterns.letters import NO, YES
from connectors.patterns.syntax import MOST, Assertion, Choice, Group, Letter, Literal, Node, Repeated, Sequence


def unrolled(node: Repeated) -> Node | None:
    r"""Return `[^"\\]*(?:\\.[^"\\]*)*` for `(?:[^"\\]|\\.)*`, which takes a step for every letter; None for others."""
    if not (isinstance(node.part, Choice) and len(node.part.ways) == 2 and node.greedy):
        return None
    usual, odd = node.part.ways
    if node.least or node.most < MOST or not (isinstance(usual, Letter) and isinstance(odd, Sequence) and odd.parts):
        return None
    first = odd.parts[0]
    if not isinstance(first, Letter) or any(NO not in both for both in zip(usual.states, first.states, strict=True)):
        return None
    run = Repeated(usual, 0, MOST, greedy=True)
    return Sequence((run, Repeated(Sequence((*odd.parts, run)), 0, MOST, greedy=True)))


def texts(node: Node) -> Iterator[bytes]:
    """Yield texts that are in whatever fits a part of a pattern."""
    if isinstance(node, Group) or (isinstance(node, Repeated) and node.least):
        yield from texts(node.part)
    elif isinstance(node, Sequence):
        for alone, parts in groupby(node.parts, lambda part: only(part) is not None):
            if alone:
                yield b"".join(only(part) or b"" for part in parts)
            else:
                for part in parts:
                    yield from texts(part)


def only(node: Node) -> bytes | None:
    """Return the only character of a class, if it is one of ASCII."""
    if not isinstance(node, Letter) or sum(node.states) != YES:
        return None
    return bytes([node.states.index(YES)])


def empty(node: Node) -> bool:
    """Say whether a part may fit nothing."""
    if isinstance(node, Letter | Literal):
        return False
    if isinstance(node, Assertion):
        return True
    if isinstance(node, Sequence):
        return all(map(empty, node.parts))
    if isinstance(node, Choice):
        return any(map(empty, node.ways))
    if isinstance(node, Repeated):
        return node.least == 0 or empty(node.part)
    return empty(node.part)
