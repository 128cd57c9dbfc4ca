"""What the trees of patterns tell before they become instructions: texts that must be there, and what may be empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from connectors.patterns.letters import NO, YES
from connectors.patterns.syntax import MOST, Assertion, Choice, Group, Letter, Literal, Node, Repeated, Sequence

MANY: Final = 6  # texts that are looked for one by one
LONG: Final = 64  # bytes of what something begins with


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


def needles(node: Node) -> frozenset[bytes]:
    """Return texts one of which is in whatever fits a part of a pattern: the longest, none where none is known."""
    return max(_needles(node), key=_shortest, default=frozenset())


def _needles(node: Node) -> Iterator[frozenset[bytes]]:
    if isinstance(node, Group) or (isinstance(node, Repeated) and node.least):
        yield from _needles(node.part)
    elif isinstance(node, Choice):
        ways = [needles(way) for way in node.ways]
        if all(ways):
            yield frozenset().union(*ways)
    elif isinstance(node, Sequence):
        for alone, parts in groupby(node.parts, lambda part: only(part) is not None):
            if alone:
                yield frozenset({b"".join(only(part) or b"" for part in parts)})
            else:
                for part in parts:
                    yield from _needles(part)


def _shortest(texts: frozenset[bytes]) -> int:
    return min(map(len, texts)) if len(texts) <= MANY else 0


def prefix(node: Node) -> bytes:
    """Return the text that whatever fits a part of a pattern begins with."""
    return _prefix(node)[0][:LONG]


def _prefix(node: Node) -> tuple[bytes, bool]:
    """Return the same, and whether it is all that fits."""
    if isinstance(node, Letter):
        return (only(node) or b""), only(node) is not None
    if isinstance(node, Literal):
        return node.text, True
    if isinstance(node, Group):
        return _prefix(node.part)
    if isinstance(node, Sequence):
        return _of_all(node.parts)
    if isinstance(node, Repeated) and 0 < node.least < LONG:
        text, whole = _prefix(node.part)
        return (text * node.least, node.least == node.most) if whole else (text, False)
    return b"", isinstance(node, Assertion)


def _of_all(parts: Iterable[Node]) -> tuple[bytes, bool]:
    found = b""
    for part in parts:
        text, whole = _prefix(part)
        found += text
        if not whole:
            return found, False
    return found, True


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
