"""Puts keys and values that were found in lines into columns, one per key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from connectors.formats.frames import nulls

NAMES: Final = 2000  # distinct keys that one batch may bring; a hostile log could name a million


def columns(found: pl.DataFrame, height: int) -> dict[str, pl.Series]:
    """Turn a frame of `row`, `key` and `value` into columns; of equal keys in a line the first counts."""
    made: dict[str, pl.Series] = {}
    for (key,), part in found.group_by("key", maintain_order=True):
        if len(made) == NAMES:
            break
        first = part.unique("row", keep="first", maintain_order=True) if part["row"].is_duplicated().any() else part
        made[str(key)] = nulls(str(key), height).scatter(first["row"], first["value"])
    return made


def replaced(
    made: Mapping[str, pl.Series], others: Mapping[str, pl.Series], rows: pl.Series, height: int
) -> dict[str, pl.Series]:
    """Return columns whose values in these rows are those of other ones; a column that these haven't is kept."""
    found = {name: made[name] if name in made else nulls(name, height) for name in {**made, **others}}
    return {name: own.scatter(rows, others[name]) if name in others else own for name, own in found.items()}


def selected(made: dict[str, pl.Series], wanted: frozenset[str] | None, height: int) -> list[pl.Series]:
    """Return the wanted columns, those that are nowhere as nulls; all that there are where None are named."""
    if wanted is None:
        return [column.alias(name) for name, column in made.items()]
    return [made[name].alias(name) if name in made else nulls(name, height) for name in sorted(wanted)]
