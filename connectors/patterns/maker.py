"""Writes the instructions of patterns: one part after the other, choices and loops as jumps."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, TypeAlias

from connectors.patterns.codes import (
    ASSERTIONS,
    GREEDY,
    JUMP,
    LAZY,
    LETTER,
    MARK,
    MATCH,
    SAVE,
    SET,
    SPLIT,
    TEXT,
    UNGUARDED,
)
from connectors.patterns.letters import NO, States
from connectors.patterns.syntax import (
    MOST,
    Assertion,
    Choice,
    Group,
    Letter,
    Literal,
    Node,
    Repeated,
    Sequence,
)
from connectors.patterns.trees import empty, only, unrolled

LONGEST: Final = 50_000  # instructions
Edges: TypeAlias = Mapping[int, Several[int]]  # marks to set behind so many parts of a pattern, perhaps none


class TooLongError(Exception):
    """Repetitions of repetitions."""


@dataclass(slots=True)
class Maker:
    """Instructions, and the classes and texts that they name."""

    places: dict[str, int]
    code: list[list[int]] = field(default_factory=list)
    sets: dict[States, int] = field(default_factory=dict)
    masks: list[int] = field(default_factory=list)  # per class a bit for every byte that may be in it
    texts: bytearray = field(default_factory=bytearray)

    def emit(self, what: int, a: int = 0, b: int = 0, c: int = UNGUARDED, d: int = UNGUARDED) -> list[int]:
        if len(self.code) == LONGEST:
            raise TooLongError
        self.code.append([what, a, b, c, d])
        return self.code[-1]

    def set(self, states: States) -> int:
        if states not in self.sets:
            self.sets[states] = len(self.masks)
            self.masks.append(sum(1 << byte for byte, state in enumerate(states) if state != NO))
        return self.sets[states]

    def whole(self, node: Node, edges: Edges) -> dict[int, int]:
        """Add the instructions of a pattern, with marks behind so many of its parts; return where it goes on there."""
        parts = node.parts if isinstance(node, Sequence) else (node,)
        after, last = {}, 0
        for depth in sorted(edges):
            self._sequence(parts[last:depth])
            for mark in edges[depth]:
                self.emit(MARK, mark)
            after[depth], last = len(self.code), depth
        self._sequence(parts[last:])
        self.emit(MATCH)
        return after

    def add(self, node: Node) -> None:
        """Add the instructions of a part of a pattern."""
        if isinstance(node, Letter):
            self._letters(letter) if (letter := only(node)) else self.emit(SET, self.set(node.states))
        elif isinstance(node, Literal):
            self.emit(TEXT, self.text(node.text), len(node.text))
        elif isinstance(node, Assertion):
            self.emit(ASSERTIONS[node.kind])
        elif isinstance(node, Sequence):
            self._sequence(node.parts)
        elif isinstance(node, Group):
            self._group(node)
        elif isinstance(node, Choice):
            self._choice(node)
        else:
            self._repeated(node)

    def text(self, text: bytes) -> int:
        """Keep a text, and return where it begins."""
        self.texts += text
        return len(self.texts) - len(text)

    def _sequence(self, parts: Several[Node]) -> None:
        for alone, some in groupby(parts, lambda part: only(part) is not None):
            if alone:
                self._letters(b"".join(only(part) or b"" for part in some))
            else:
                for part in some:
                    self.add(part)

    def _letters(self, letters: bytes) -> None:
        if len(letters) > 1:
            self.emit(TEXT, self.text(letters), len(letters))
        else:
            self.emit(LETTER, letters[0])

    def _group(self, node: Group) -> None:
        place = self.places.get(node.name)
        if place is None:
            self.add(node.part)
            return
        self.emit(SAVE, 2 * place)
        self.add(node.part)
        self.emit(SAVE, 2 * place + 1)

    def _choice(self, node: Choice) -> None:
        ends = []
        for way in node.ways[:-1]:
            split = self.emit(SPLIT)
            split[1] = len(self.code)
            self.add(way)
            ends.append(self.emit(JUMP))
            split[2] = len(self.code)
        self.add(node.ways[-1])
        for end in ends:
            end[1] = len(self.code)

    def _repeated(self, node: Repeated) -> None:
        if isinstance(node.part, Letter):
            self.emit(GREEDY if node.greedy else LAZY, self.set(node.part.states), node.least, node.most)
            return
        if (other := unrolled(node)) is not None:
            self.add(other)
            return
        if empty(node.part) and node.most > 1:
            raise TooLongError  # could go round without end
        for _ in range(node.least):
            self.add(node.part)
        if node.most >= MOST:
            self._loop(node)
            return
        splits = []
        for _ in range(node.most - node.least):
            splits.append(self._split(node))
            self.add(node.part)
        for split in splits:
            split[2 if node.greedy else 1] = len(self.code)

    def _split(self, node: Repeated) -> list[int]:
        split = self.emit(SPLIT)
        split[1 if node.greedy else 2] = len(self.code)
        return split

    def _loop(self, node: Repeated) -> None:
        start = len(self.code)
        split = self._split(node)
        self.add(node.part)
        self.emit(JUMP, start)
        split[2 if node.greedy else 1] = len(self.code)
