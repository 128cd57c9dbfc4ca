"""Source definitions: what a log source is called, how its lines read, and what its fields mean (`sources/*.yml`).

Adding an application log is one such file and no Python. A wrong file is refused; the message names line and fix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields as options_of
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from connectors.formats import FORMATS, Format
from connectors.formats.json_lines import ERROR
from connectors.nodes import Node, read_yaml
from detectors.contracts import Dialect, LogSource
from detectors.errors import DefinitionError
from detectors.schema import ECS, EVENT, RECORD

BUILT_IN: Final = Path(__file__).parent / "sources"
CLOSED: Final = frozenset({"access", "syslog"})  # formats whose columns, but for parts of them, are always the same


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Strict(BaseModel):
    """A part of a definition: a key it doesn't know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(Strict):
    """The log source, as Sigma rules name it."""

    category: str | None = None
    product: str | None = None
    service: str | None = None


class Mapped(Strict):
    """How an ECS column is filled: the first own column that has a value, else a constant.

    `extract` keeps the first group of a pattern. `values` translates what was found; what it doesn't list becomes
    `otherwise`, or stays as it is.
    """

    columns: Columns = ()
    constant: str | None = None
    extract: str | None = None
    values: dict[str, str] | None = None
    otherwise: str | None = None

    @field_validator("extract")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        try:
            pl.Series([""]).str.extract(value or "()")
        except pl.exceptions.PolarsError as error:
            raise ValueError(f"{value!r} is no pattern with a group: {error}") from None
        return value


def _mapped(value: object) -> object:
    return {"columns": value} if isinstance(value, str | list) else value


class Output(Strict):
    """Where own columns stand in `soc parse`: `names` by column, the others below `under`."""

    under: str | None = None
    names: dict[str, str] = {}


class Hints(Strict):
    """How to tell this source from others that read alike.

    Of the sample's lines, the share counts that parse and have all `columns` (and there one of the `values`), times
    `weight`. `label` holds words of file names that decide between equals.
    """

    columns: Columns = ()
    values: dict[str, Columns] = {}
    label: Columns = ()
    weight: float = Field(default=1.0, ge=0, le=1)


class Definition(Strict):
    """A log source."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str = ""
    format: str
    options: dict[str, Any] = {}
    zone: str = "UTC"
    logsource: Service = Service()
    timestamp: Columns = ()
    fields: dict[str, Annotated[Mapped, BeforeValidator(_mapped)]] = {}
    aliases: dict[str, Columns] = {}
    columns: Columns | None = None  # all that events can have, where the format allows any: tells blind rules
    entity: Columns = ()
    output: Output = Output()
    recognise: Hints = Hints()

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return _known(value, FORMATS, "format")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # listing them all takes long
            return _known(value, available_timezones(), "time zone")

    @property
    def reader(self) -> Format:
        """Return the format with this source's options."""
        return FORMATS[self.format](**self.options)

    @cached_property
    def dialect(self) -> Dialect:
        """Return what rules need to know of this source."""
        source = LogSource(self.logsource.category, self.logsource.product, self.logsource.service)
        return Dialect(self.name, source, self.aliases, structured=self.reader.structured)

    @cached_property
    def own_columns(self) -> frozenset[str] | None:
        """Return all own columns that events can have, parts of them aside; None where any is possible."""
        if self.columns is not None:
            return frozenset(self.columns)
        if self.format not in CLOSED:
            return None
        return frozenset(self.reader.parse(pl.Series([], dtype=pl.String), None).columns) - {ERROR}

    def all_columns(self, own: frozenset[str]) -> frozenset[str]:
        """Return all columns of events that have these own ones: theirs, and those filled from them."""
        filled = {name for name, mapped in self.fields.items() if mapped.constant or own.intersection(mapped.columns)}
        return own.union(filled, EVENT)


def _known(name: str, names: Iterable[str], kind: str) -> str:
    choices = sorted(names)
    if name in choices:
        return name
    near = get_close_matches(name, choices, 1, 0.5)
    raise ValueError(f"{name!r} is no {kind}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {choices}"))


class DefinitionsError(DefinitionError):
    """Every fault of every definition, one per line."""

    def __init__(self, faults: Iterable[DefinitionError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def load_definitions(folders: Iterable[Path] = (BUILT_IN,)) -> dict[str, Definition]:
    """Read all `*.yml` of the folders; a later folder's definition replaces an earlier one of that name.

    Raises:
        DefinitionsError: when any is wrong, after all were read.
    """
    found: dict[str, Definition] = {}
    faults: list[DefinitionError] = []
    for folder in folders:
        for path in sorted(Path(folder).glob("*.y*ml")):
            try:
                definition = load_definition(path)
                found[definition.name] = definition
            except DefinitionsError as wrong:
                faults.extend(wrong.faults)
    if faults:
        raise DefinitionsError(faults)
    return found


def load_definition(path: Path) -> Definition:
    """Read one definition.

    Raises:
        DefinitionsError: with all its faults.
    """
    try:
        node = read_yaml(path)
    except DefinitionError as error:
        raise DefinitionsError([error]) from None
    faults = list(_unknown_columns(node))
    try:
        definition = Definition.model_validate(node.value)
    except ValidationError as error:
        raise DefinitionsError([*faults, *_faults(error, node)]) from None
    faults += _option_faults(definition, node)
    if faults:
        raise DefinitionsError(faults)
    return definition


def _unknown_columns(node: Node) -> Iterator[DefinitionError]:
    """Refuse ECS names that no event has."""
    named: list[tuple[tuple[str | int, ...], str]] = [(("fields", key), key) for key in node.keys("fields")]
    entity = node.value.get("entity") if isinstance(node.value, Mapping) else None
    named += [(("entity", place), str(name)) for place, name in enumerate(entity if isinstance(entity, list) else [])]
    for path, name in named:
        if name not in ECS or name in RECORD:
            near = get_close_matches(name, ECS, 1, 0.5)
            fix = f"did you mean {near[0]!r}?" if near else "see detectors/schema.py for the columns an event has"
            yield DefinitionError(f"{name!r} is no ECS column of an event", place=node.place(path), fix=fix)


def _option_faults(definition: Definition, node: Node) -> Iterator[DefinitionError]:
    known = [option.name for option in options_of(FORMATS[definition.format])]  # type: ignore[arg-type] # all are dataclasses
    for name in definition.options:
        if name not in known:
            message = f"format {definition.format!r} has no option {name!r}"
            yield DefinitionError(message, place=node.place(("options", name)), fix=f"its options are {known}")


def _faults(error: ValidationError, node: Node) -> Iterator[DefinitionError]:
    for fault in error.errors(include_url=False):
        path = fault["loc"]
        message, fix = fault["msg"].removeprefix("Value error, "), ""
        if fault["type"] == "extra_forbidden":
            message = f"unknown key {str(path[-1])!r}"
            near = get_close_matches(str(path[-1]), _keys(path), 1, 0.5)
            fix = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(_keys(path))}"
        elif fault["type"] == "missing":
            message, fix = f"the key {str(path[-1])!r} is missing", "add it"
        elif not message.startswith("'"):
            message = f"{'.'.join(map(str, path))}: {message}"
        yield DefinitionError(message, place=node.place(path), fix=fix)


def _keys(path: tuple[int | str, ...]) -> list[str]:
    inner: dict[object, type[Strict]] = {"logsource": Service, "fields": Mapped, "output": Output, "recognise": Hints}
    return list((inner.get(path[0], Definition) if len(path) > 1 else Definition).model_fields)


def coerced(column: pl.Expr, source: object, target: object) -> pl.Expr:
    """Turn an own column into an ECS column's type.

    Numbers may be hexadecimal; where one value is wanted, a list's first element stands for it.
    """
    if target == pl.List(pl.String):
        return column if source == pl.List(pl.String) else pl.when(column.is_not_null()).then(pl.concat_list(column))
    text = column.list.first() if source == pl.List(pl.String) else column
    if target != pl.Int64:
        return text
    digits = text.str.extract("^0[xX]([0-9a-fA-F]{1,15})$").str.to_integer(base=16, strict=False)
    return pl.coalesce(text.cast(pl.Int64, strict=False), digits)
