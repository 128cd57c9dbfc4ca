"""Tells by texts that a source's lines must hold which sources can't have written some lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.definition import Definition
from connectors.extraction import LINE
from connectors.formats.delimited import Delimited
from connectors.formats.fitting import Fitted
from connectors.formats.keyvalue import HEADER, KeyValue
from connectors.mapping import Extraction
from connectors.multiline import Joining
from connectors.needles import Needles, either, needles

RARE: Final = 0.1  # of the lines; a source of fewer is no rival
PROGRAM: Final = "program"  # the column that formats of one program fill with its name


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells, before anything is parsed, whether lines can be of a source."""

    structured: bool  # its lines are JSON objects
    joined: bool  # its records may be of several lines, or some of its lines tell nothing
    needles: tuple[frozenset[str], ...]  # one of each stands in every line that fits its hints

    def encode(self) -> list[Any]:
        """Return plain data, which `decode` takes."""
        return [self.structured, self.joined, [sorted(each) for each in self.needles]]

    @classmethod
    def decode(cls, told: Sequence[Any]) -> Marks:
        """Return what `encode` made plain data of."""
        structured, joined, every = told
        return cls(structured, joined, tuple(map(frozenset, every)))


def marks(definition: Definition) -> Marks:
    """Return the marks of a source: its hints and patterns tell what its lines hold."""
    hints, reader = definition.recognise, definition.reader
    joined = definition.multiline is not None or hints.ignore is not None or definition.heading is not None
    return Marks(reader.structured, joined or isinstance(reader, Joining), tuple(_marks(definition)))


def marked(lines: Sequence[str], seen: Marks) -> bool:
    """Say whether lines can be of a source of text. Each line stands twice, as it is and in small letters."""
    if seen.joined:
        text = "\n".join(lines)
        return all(any(needle in text for needle in each) for each in seen.needles)
    left = list(lines)
    for each in seen.needles:
        left = [line for line in left if any(needle in line for needle in each)]
    return len(left) >= RARE * len(lines)


def _marks(definition: Definition) -> Iterator[frozenset[str]]:
    """Yield sets of texts; one of each stands in every line that fits the source's hints."""
    hints, reader = definition.recognise, definition.reader
    made = frozenset[str]().union(*(step.columns for step in definition.steps))
    for name, values in hints.values.items():
        if name not in made:
            yield frozenset(values)
    if told := needles(hints.matches.get(LINE, "")):
        yield told
    for name in hints.told - {LINE}:
        if found := _made(definition, name) if name in made else _key(reader, name):
            yield found
    if found := _patterned(reader):
        yield found
    if held := hints.holds or getattr(reader, "marks", ()):
        yield frozenset(held)


def _patterned(reader: object) -> Needles:
    """Return texts one of which stands in every line that has a format's form."""
    if isinstance(reader, Fitted):
        return either(map(needles, reader.patterns))
    return needles(reader.start) if isinstance(reader, Delimited) else None


def _key(reader: object, name: str) -> Needles:
    return frozenset({name}) if isinstance(reader, KeyValue) and not name.startswith(HEADER) else None


def _made(definition: Definition, name: str) -> Needles:
    """Return texts one of which is there where patterns fill a column; None where something else may fill it."""
    steps = [step for step in definition.steps if name in step.columns]
    if not all(isinstance(step, Extraction) for step in steps):
        return None
    return either(needles(pattern) for step in steps for pattern in _patterns(definition, step, name))


def _patterns(definition: Definition, step: object, name: str) -> Iterable[str]:
    """Return the patterns of a step that fill a column and are tried on the lines of the source's one program."""
    if not isinstance(step, Extraction):
        return ()
    program = definition.options.get(PROGRAM) if step.by == PROGRAM else None
    return (
        reading.pattern
        for reading in step.patterns
        if name in reading.columns and (program is None or not reading.of or program in reading.of)
    )
