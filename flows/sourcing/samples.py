"""Samples of source definitions: lines, and what they must become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from connectors.definition import Definition, Sample
from connectors.lines import records
from connectors.parser import DefinedParser, to_ecs
from detectors.contracts import Batch
from detectors.errors import InputError, Place

YEAR: Final = 2026  # of times without a year


@dataclass(frozen=True, slots=True)
class Difference:
    """A sample that became something else."""

    sample: str  # which
    field: str
    expected: object
    found: object

    def __str__(self) -> str:
        """Return one line that tells all."""
        return f"{self.sample}: {self.field} is {_shown(self.found)}, expected {_shown(self.expected)}"


def samples(definition: Definition, folders: Iterable[Path]) -> Iterator[tuple[str, Sample]]:
    """Yield the samples inside a definition, and those of files `NAME/*.json` in the folders: {"input", "expected"}.

    Raises:
        InputError: a file is no sample.
    """
    for number, sample in enumerate(definition.samples, 1):
        yield f"{definition.name} sample {number}", sample
    for folder in folders:
        for path in sorted((folder / definition.name).glob("*.json")):
            try:
                read = Sample.model_validate(orjson.loads(path.read_bytes()))
            except (OSError, ValueError) as error:
                fix = 'write {"input": "the line", "expected": {"user": {"name": "lan"}}}'
                raise InputError(f"no sample: {str(error).splitlines()[0]}", place=Place(str(path)), fix=fix) from None
            yield str(path), read


def differences(definition: Definition, name: str, sample: Sample) -> Iterator[Difference]:
    """Yield what is otherwise than the sample expects."""
    batch = Batch(definition.name, "sample", name, records([sample.input], [0]))
    parsed = DefinedParser(definition, year=YEAR).parse(batch, None)
    if parsed.events.is_empty():
        reason = parsed.dead["error.message"].to_list()
        yield Difference(name, "the line", "an event", reason[0] if reason else "nothing")
        return
    found = dict(_flat(next(to_ecs(parsed.events, definition))))
    kept = pl.Series(list(found), dtype=pl.String)
    for field, expected in _flat(sample.expected):
        value = found.get(field)
        if expected is None and kept.str.starts_with(f"{field}.").any():
            yield Difference(name, field, None, "something")
        elif value != expected:
            yield Difference(name, field, expected, value)


def _flat(document: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value


def _shown(value: object) -> str:
    return "missing" if value is None else orjson.dumps(value, default=str).decode()
