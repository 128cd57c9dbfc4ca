"""Turns the trees of patterns into instructions for the machine.

Where what follows a run can't begin with what the run is made of, nothing is ever tried twice (SPAN); before a choice
the next byte mostly tells which way can't be (guards). So most lines are read from left to right once.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.patterns.letters import NO, NOTHING, SIZE, YES, States
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
    parse,
)
from connectors.patterns.trees import empty, only, texts, unrolled

# what instructions do; a, b, c, d are their operands
MATCH, SET, SPAN, GREEDY, LAZY, SPLIT, JUMP, SAVE, BEGIN, END, BOUND, INSIDE, TEXT = range(13)
RUNS: Final = (SPAN, GREEDY, LAZY)
ASSERTIONS: Final = {"begin": BEGIN, "end": END, "bound": BOUND, "inside": INSIDE}
LONGEST: Final = 50_000  # instructions
SHORT: Final = 3  # bytes: what is shorter is in most lines
UNGUARDED: Final = -1  # else the number of a class, times two, and one where the text may end there


class _TooLongError(Exception):
    """Repetitions of repetitions."""


class Program(NamedTuple):
    """Patterns for the machine: each begins at one of `entries`, `firsts` are guards of where it can."""

    code: npt.NDArray[np.int32]  # a row per instruction: what it does, a, b, c, d
    sets: npt.NDArray[np.uint8]  # a row per class: the state of every byte
    texts: npt.NDArray[np.uint8]
    entries: npt.NDArray[np.int32]
    firsts: npt.NDArray[np.int32]
    bound: npt.NDArray[np.bool_]  # whether it fits only at the beginning
    needles: npt.NDArray[np.int32]  # begin and size of the text that whatever fits holds
    leads: npt.NDArray[np.int32]  # begin and size of the text that whatever fits begins with


@lru_cache(maxsize=4_000)
def program(patterns: Several[str], names: Several[str]) -> Program | None:
    """Return the instructions for patterns that are tried in their order, and whose groups have these places."""
    trees = [parse(pattern) for pattern in patterns]
    made = _Maker({name: place for place, name in enumerate(names)})
    entries, needles = [], []
    try:
        for tree in trees:
            if tree is None:
                return None
            entries.append(len(made.code))
            made.add(tree)
            made.emit(MATCH)
            needles.append(made.needle(tree))
    except _TooLongError:
        return None
    _sharpened(made)
    firsts = [made.guard(_first(made, entry)) for entry in entries]
    return Program(
        np.array(made.code, np.int32),
        np.frombuffer(b"".join(made.sets) or NOTHING, np.uint8).reshape(-1, SIZE),
        np.frombuffer(bytes(made.texts) or b"\0", np.uint8),
        np.array(entries, np.int32),
        np.array(firsts, np.int32),
        np.array([made.code[entry][0] == BEGIN for entry in entries]),
        np.array(needles, np.int32),
        np.array([made.lead(entry) for entry in entries], np.int32),
    )


@dataclass(slots=True)
class _Maker:
    places: dict[str, int]
    code: list[list[int]] = field(default_factory=list)
    sets: dict[States, int] = field(default_factory=dict)
    masks: list[int] = field(default_factory=list)  # per class a bit for every byte that may be in it
    texts: bytearray = field(default_factory=bytearray)

    def emit(self, what: int, a: int = 0, b: int = 0, c: int = UNGUARDED, d: int = UNGUARDED) -> list[int]:
        if len(self.code) == LONGEST:
            raise _TooLongError
        self.code.append([what, a, b, c, d])
        return self.code[-1]

    def set(self, states: States) -> int:
        if states not in self.sets:
            self.sets[states] = len(self.masks)
            self.masks.append(sum(1 << byte for byte, state in enumerate(states) if state != NO))
        return self.sets[states]

    def guard(self, first: _First) -> int:
        """Return what must stand where something begins, UNGUARDED where that may be nothing."""
        if first.empty or first.unsure:
            return UNGUARDED
        states = bytes(YES if first.mask >> byte & 1 else NO for byte in range(SIZE))
        return 2 * self.set(states) + first.ended

    def needle(self, tree: Node) -> tuple[int, int]:
        """Note the longest text that is in whatever fits; none where that is short."""
        found = max(texts(tree), key=len, default=b"")
        if len(found) < SHORT:
            return 0, 0
        self.texts += found
        return len(self.texts) - len(found), len(found)

    def lead(self, entry: int) -> tuple[int, int]:
        """Return the text that whatever begins there begins with, none where that isn't always the same."""
        while self.code[entry][0] in (SAVE, BOUND, INSIDE):
            entry += 1
        what, start, size, *_ = self.code[entry]
        return (start, size) if what == TEXT and size > 1 else (0, 0)

    def add(self, node: Node) -> None:
        """Add the instructions of a part of a pattern."""
        if isinstance(node, Letter):
            self.emit(SET, self.set(node.states))
        elif isinstance(node, Literal):
            self._text(node.text)
        elif isinstance(node, Assertion):
            self.emit(ASSERTIONS[node.kind])
        elif isinstance(node, Sequence):
            self._sequence(node)
        elif isinstance(node, Group):
            self._group(node)
        elif isinstance(node, Choice):
            self._choice(node)
        else:
            self._repeated(node)

    def _text(self, text: bytes) -> None:
        self.emit(TEXT, len(self.texts), len(text))
        self.texts += text

    def _sequence(self, node: Sequence) -> None:
        letters = b""
        for part in node.parts:
            letter = only(part)
            if letter is None and letters:
                self._letters(letters)
                letters = b""
            if letter is None:
                self.add(part)
            else:
                letters += letter
        if letters:
            self._letters(letters)

    def _letters(self, letters: bytes) -> None:
        if len(letters) > 1:
            self._text(letters)
        else:
            self.emit(SET, self.set(bytes(YES if byte == letters[0] else NO for byte in range(SIZE))))

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
            raise _TooLongError  # could go round without end
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


@dataclass(slots=True)
class _First:
    """What may stand first where an instruction goes on."""

    mask: int = 0  # a bit for every byte
    empty: bool = False  # the match ends
    ended: bool = False  # the text ends
    unsure: bool = False  # the match ends at certain places


def _first(made: _Maker, start: int) -> _First:
    found, left, seen = _First(), [(start, False)], set()
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += _passed(made, *here, found)
    return found


def _passed(made: _Maker, at: int, conditional: bool, found: _First) -> list[tuple[int, bool]]:
    """Note what an instruction looks for, or return where it goes on without taking anything."""
    what, a, b, *_ = made.code[at]
    after: list[int] = []
    if what == MATCH:
        found.empty |= not conditional
        found.unsure |= conditional
    elif what == END:
        found.ended = True
    elif what == TEXT:
        found.mask |= 1 << made.texts[a]
    elif what in (SET, *RUNS):
        found.mask |= made.masks[a]
        after = [at + 1] if what != SET and b == 0 else []
    elif what in (SPLIT, JUMP):
        after = [a, b] if what == SPLIT else [a]
    else:
        after, conditional = [at + 1], conditional or what != SAVE
    return [(place, conditional) for place in after]


def _sharpened(made: _Maker) -> None:
    """Add guards, and turn runs into spans where nothing that follows could begin with what they are made of."""
    for at, instruction in enumerate(made.code):
        what, a, b = instruction[:3]
        if what in RUNS:
            first = _first(made, at + 1)
            apart = not first.mask & made.masks[a]
            if what == GREEDY and not first.unsure and (first.empty or apart):
                instruction[0] = SPAN
            else:
                instruction[4] = made.guard(first)
        elif what == SPLIT:
            instruction[3], instruction[4] = made.guard(_first(made, a)), made.guard(_first(made, b))
