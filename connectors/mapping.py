"""The parts of a source definition that say what its fields mean, as pydantic reads them.

How they become Polars expressions stands in `connectors.expressions` and `connectors.extraction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from connectors import grok


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _texts(value: object) -> object:
    """Take numbers and truth values as the texts that logs write for them."""
    return [_text(item) for item in value] if isinstance(value, list) else _text(value)


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Key = Annotated[str, BeforeValidator(_text)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Constant = Annotated["str | tuple[str, ...]", BeforeValidator(_texts)]
Values = Annotated["tuple[str, ...]", BeforeValidator(lambda value: _texts(_listed(_text(value))))]
PROVED: Final = {"proved": True}  # context of validation: tests have tried these patterns


def _pattern(value: object, info: ValidationInfo) -> object:
    return grok.expanded(value, proved=info.context == PROVED) if isinstance(value, str) else value


Pattern = Annotated[str, BeforeValidator(_pattern)]


class Strict(BaseModel):
    """A part of a definition: a key it doesn't know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Condition(Strict):
    """What must hold of a column's value; short for `equals` is the value or the list of them."""

    equals: Values | None = None
    matches: Pattern | None = None
    exists: bool | None = None
    differs: Values | None = None
    differs_from: str | None = None  # another column
    address: bool | None = None  # whether it is an IP address

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return value if isinstance(value, Mapping) else {"equals": value}


Conditions = dict[str, Condition]


def looked_at(conditions: Conditions) -> frozenset[str]:
    """Return the own columns that conditions are of."""
    return frozenset({*conditions, *(one.differs_from for one in conditions.values() if one.differs_from)})


class Mapped(Strict):
    r"""One way to fill an ECS column: the first own column that has a value, else a constant; only `when` all holds.

    What was found passes `extract` (the first group of a pattern), `case`, `values` (what they don't list becomes
    `otherwise`, or stays as it is), `split` and `scale`, in this order. A `template` joins columns: `{domain}\\{user}`.
    Of a list the first element counts, or with `join` all, as one text; so do the parts of a `split`. `each` is
    `extract` for every part of a `split`, whose `values` are then of the parts.
    `cast: duration` makes nanoseconds of `1:23:45`, `0h:32m:16s` or `2d 01:00:00`.
    `every` takes the values of all columns into a list.
    """

    columns: Columns = ()
    template: str | None = None
    constant: Constant | None = None
    when: Conditions = {}
    join: str | None = None
    extract: Pattern | None = None
    case: Literal["lower", "upper"] | None = None
    values: dict[Key, Constant] | None = None
    otherwise: Constant | None = None
    split: str | None = Field(default=None, min_length=1)
    each: Pattern | None = None
    cast: Literal["duration"] | None = None
    scale: float | None = None
    every: bool = False

    @field_validator("extract", "each")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is not None and "(" not in value.replace("(?:", ""):
            raise ValueError(f"{value!r} has no group; put what is wanted in ( )")
        return value

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """Return a template's texts and columns by turns, a text first."""
        return pieces(self.template) if self.template is not None else ()

    @property
    def sources(self) -> frozenset[str]:
        """Return the own columns that it looks at."""
        return frozenset({*self.columns, *self.pieces[1::2], *looked_at(self.when)})


TEMPLATE: Final = re.compile(r"\{([^{}]+)\}")


def pieces(template: str) -> tuple[str, ...]:
    """Return a template's texts and columns by turns, a text first."""
    return tuple(TEMPLATE.split(template))


def ways(value: object) -> object:
    """Read the short forms of a field: a column, several of which the first counts, one way, several ways."""
    if isinstance(value, str):
        return [{"columns": value}]
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return [{"columns": value}]
        return [{"columns": item} if isinstance(item, str) else item for item in value]
    return [value]


Filled = Annotated[tuple[Mapped, ...], BeforeValidator(ways)]


class Reading(Strict):
    """A pattern whose named groups become columns, and columns to `set` where it holds.

    `of` names the values of the block's `by` column it is for; without, it is for all.
    """

    pattern: Pattern = ""
    of: Values = ()
    set: dict[str, Constant] = {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"pattern": value} if isinstance(value, str) else value

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns it fills."""
        return tuple(dict.fromkeys((*grok.groups(self.pattern), *self.set)))


class Extraction(Strict):
    """Patterns tried on a column, of which the first that holds counts."""

    source: str = Field(alias="from", default="message")
    by: str | None = None
    patterns: tuple[Reading, ...]

    @cached_property
    def columns(self) -> frozenset[str]:
        """Return the columns that its patterns fill."""
        return frozenset(name for reading in self.patterns for name in reading.columns)

    @cached_property
    def lists(self) -> frozenset[str]:
        """Return the columns that any of its patterns sets to a list."""
        return frozenset(name for each in self.patterns for name, value in each.set.items() if isinstance(value, tuple))

    @cached_property
    def sources(self) -> frozenset[str]:
        """Return the columns that it looks at."""
        return frozenset({self.source} if self.by is None else {self.source, self.by})


class Lookup(Strict):
    """A table: the value of `column` names the row, which fills its columns, where all `when` holds."""

    column: str
    when: Conditions = {}
    rows: dict[Key, dict[str, Constant]]

    @cached_property
    def columns(self) -> frozenset[str]:
        """Return the columns that its rows fill."""
        return frozenset(name for row in self.rows.values() for name in row)

    @property
    def sources(self) -> frozenset[str]:
        """Return the own columns that it looks at."""
        return frozenset({self.column, *looked_at(self.when)})

    def values(self, name: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
        """Yield what the rows say of a column, by key."""
        return ((key, row[name]) for key, row in self.rows.items() if name in row)
