r"""Reads regular expressions as Rust's `regex` writes them, into a tree; None for what it doesn't know.

What isn't known here is no fault: Polars has tried the pattern, and runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, TypeAlias

from connectors.patterns import letters
from connectors.patterns.letters import NOTHING, States

MOST: Final = 1 << 20  # repetitions; more means without end
ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
PLACES: Final = {("^", False): "begin", ("$", False): "end", ("^", True): "first", ("$", True): "last"}
ASSERTIONS: Final = {"A": "begin", "z": "end", "b": "bound", "B": "inside"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One character of a class."""

    states: States


@dataclass(frozen=True, slots=True)
class Literal:
    """A character beyond ASCII, as bytes."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place: begin, end, first or last of a line, bound, inside."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first that fits."""

    ways: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """As often as possible, or as seldom."""

    part: Node
    least: int
    most: int
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What is to be told."""

    name: str
    part: Node


Node: TypeAlias = Letter | Literal | Assertion | Sequence | Choice | Repeated | Group


class _UnknownError(Exception):
    """The pattern holds what this reader doesn't know."""


def parse(pattern: str) -> Node | None:
    """Return the tree of a pattern; a group without a name is called by its number, as Polars does."""
    reader = _Reader(pattern)
    try:
        node = reader.choice()
        return node if reader.at == len(pattern) else None
    except (_UnknownError, IndexError, ValueError):
        return None


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    groups: int = 0
    dotted: bool = False  # a dot holds the end of a line as well
    folded: bool = False  # cases don't count
    lined: bool = False  # lines begin and end as well as the text does
    names: list[str] = field(default_factory=list)

    def choice(self) -> Node:
        flags = self.dotted, self.folded, self.lined
        ways = [self._sequence()]
        while self._took("|"):
            ways.append(self._sequence())
        self.dotted, self.folded, self.lined = flags
        return ways[0] if len(ways) == 1 else Choice(tuple(ways))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _took(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _atom(self) -> Node | None:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return Letter(self._class())
        if character == ".":
            return Letter(letters.negated(NOTHING if self.dotted else letters.one("\n")))
        if character in "^$":
            return Assertion(PLACES[character, self.lined])
        if character == "\\":
            return self._escape()
        if character in "*+?{":
            raise _UnknownError
        return self._letter(character)

    def _letter(self, character: str) -> Node:
        if character.isascii():
            return Letter(letters.one(character, folded=self.folded and character.isalpha()))
        if self.folded:
            raise _UnknownError
        return Literal(character.encode())

    def _escape(self) -> Node:
        character = self._next()
        if character in "dwsDWS":
            return Letter(letters.known(character))
        if character in ASSERTIONS:
            return Assertion(ASSERTIONS[character])
        return self._letter(self._escaped(character))

    def _escaped(self, character: str) -> str:
        """Return the character that an escape means."""
        if character == "x" and self._took("{"):
            end = self.text.index("}", self.at) if "}" in self.text[self.at :] else -1
            digits, self.at = self.text[self.at : end], end + 1
            return chr(int(digits, 16))
        if character in ESCAPES:
            return ESCAPES[character]
        if character.isalnum() or not character.isascii():
            raise _UnknownError
        return character

    def _class(self) -> States:
        negated = self._took("^")
        parts = [*self._members()]
        states = reduce(letters.union, parts, NOTHING)
        return letters.negated(states) if negated else states

    def _members(self) -> Iterator[States]:
        first = True
        while first or self.text[self.at] != "]":
            first = False
            if self.text.startswith(("[", "&&", "--", "~~"), self.at):
                raise _UnknownError
            character = self._next()
            if character == "\\":
                character = self._next()
                if character in "dwsDWS":
                    yield letters.known(character)
                    continue
                character = self._escaped(character)
            yield self._range(character)
        self.at += 1

    def _range(self, first: str) -> States:
        last = None
        if self.text[self.at] == "-" and self.text[self.at + 1] != "]":
            self.at += 1
            last = self._next()
            if last == "\\":
                last = self._escaped(self._next())
        return letters.one(first, last, folded=self.folded)

    def _group(self) -> Node | None:
        if not self._took("?"):
            self.groups += 1
            return self._inner(str(self.groups))
        if self._took("P<") or self._took("<"):
            end = self.text.index(">", self.at)
            name, self.at = self.text[self.at : end], end + 1
            self.groups += 1
            return self._inner(name)
        flags = ""
        while self.text[self.at] in "ism":
            flags += self._next()
        if self._took(")"):  # to the end of the group around
            self._set(flags)
            return None
        if not self._took(":"):
            raise _UnknownError
        outer = self.dotted, self.folded, self.lined
        self._set(flags)
        node = self._inner(None)
        self.dotted, self.folded, self.lined = outer
        return node

    def _set(self, flags: str) -> None:
        self.dotted |= "s" in flags
        self.folded |= "i" in flags
        self.lined |= "m" in flags

    def _inner(self, name: str | None) -> Node:
        part = self.choice()
        if not self._took(")"):
            raise _UnknownError
        return part if name is None else Group(name, part)

    def _repeated(self, part: Node) -> Node:
        if self.at >= len(self.text):
            return part
        bounds = self._bounds()
        if bounds is None:
            return part
        greedy = not self._took("?")
        if self.at < len(self.text) and self.text[self.at] in "*+?{":
            raise _UnknownError
        return Repeated(part, *bounds, greedy)

    def _bounds(self) -> tuple[int, int] | None:
        character = self.text[self.at]
        if character in "*+?":
            self.at += 1
            return (int(character == "+"), 1 if character == "?" else MOST)
        if character != "{":
            return None
        end = self.text.index("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not low.isdigit() or not (high.isdigit() or not high):
            raise _UnknownError
        self.at = end + 1
        return int(low), int(high) if high else MOST if comma else int(low)
