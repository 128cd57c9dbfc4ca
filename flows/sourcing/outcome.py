"""Which column of a log tells how things ended, and what its words mean: as `application_audit` understands them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.definition import Definition
from connectors.expressions import filled

NAMES: Final = re.compile(r"(?i)^(?:ket_?qua|trang_?thai|result|outcome|status|success|state|res)$")
WORDS: Final = 12  # a column that has more different values tells something else
LONGEST: Final = 30  # characters of a word
MOST: Final = 0.9  # of the events must end in one way or the other
SAID: Final = "application_audit"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The column, and what each of its values means: `success` or `failure`."""

    column: str
    values: Mapping[str, str]


def outcome(texts: Mapping[str, pl.Series], definitions: Mapping[str, Definition]) -> Outcome | None:
    """Return what tells how things ended: of columns whose words do, one that is called so, or else the first."""
    found = [Outcome(name, said) for name, values in texts.items() if (said := _said(name, values, definitions))]
    return next((each for each in found if NAMES.match(each.column.rpartition(".")[2])), next(iter(found), None))


def _said(name: str, values: pl.Series, definitions: Mapping[str, Definition]) -> dict[str, str]:
    """Return what the values of a column mean, nothing where they tell something else."""
    words = values.unique(maintain_order=True)
    if SAID not in definitions or not 0 < words.len() <= WORDS or (words.str.len_chars() > LONGEST).any():
        return {}
    if not NAMES.match(name.rpartition(".")[2]) and not words.str.contains(r"^\pL").all():
        return {}  # numbers mean anything
    frame = words.alias("result").to_frame()
    meant = frame.select(filled(frame.schema, "event.outcome", definitions[SAID].fields["event.outcome"])).to_series()
    told = {word: end for word, end in zip(words, meant, strict=True) if end in {"success", "failure"}}
    return told if values.is_in(list(told)).sum() >= MOST * values.len() else {}
