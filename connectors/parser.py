"""The parser of every defined source: format, then times, then ECS columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from connectors.definitions import Definition, Mapped, coerced
from connectors.formats.json_lines import ERROR, Lines, Read, Whole, framed
from connectors.formats.ndjson import Ndjson
from connectors.formats.windows import Windows
from connectors.times import REFERENCE, Clock, instants
from detectors.contracts import Batch, Dialect, Encoded, Parsed
from detectors.schema import DEAD, ECS, EVENT, RECORD, TIME

OWNER: Final = [*EVENT, ERROR]  # names that the source's own columns can't take


@dataclass(slots=True)
class DefinedParser:
    """Parses the records of a source as its definition says.

    `zone` replaces the definition's. `year` and `reference` are for times without a year: see `connectors.times`.
    """

    definition: Definition
    year: int | None = None
    zone: str | None = None
    reference: date = REFERENCE
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        self.dialect = self.definition.dialect

    def parse(self, batch: Batch, wanted: Collection[str] | None) -> Parsed:
        """Parse a batch: own columns wanted, and ECS columns wanted (None: all of both).

        An own column stands under its name unless an ECS column of that name is wanted: then the typed one does.
        """
        targets = [name for name in self._targets() if wanted is None or name in wanted]
        records = batch.records
        needed = self._needed(wanted, targets)
        read = self._read(batch, needed)
        told = {name: times for name in self.definition.timestamp if (times := read.times(name)) is not None}
        encoded, own = self._columns_of(read, needed, targets, told)
        dead = DEAD.to_frame()
        if own[ERROR].null_count() < own.height:
            failed = own[ERROR].is_not_null()
            dead = self._dead(batch, records.filter(failed), own[ERROR].drop_nulls())
            records, own, encoded = records.filter(~failed), own.filter(~failed), _kept(encoded, ~failed)
            told = {name: times.filter(~failed) for name, times in told.items()}
        times = self._times(own, told, batch.received) if not _timed(records) else records["@timestamp"]
        columns = [*records.select(RECORD.names()), *self._columns(own, wanted, targets)]
        return Parsed(pl.DataFrame([times.alias("@timestamp"), *columns]), dead, encoded)

    def _read(self, batch: Batch, needed: frozenset[str] | None) -> Read:
        reader, original = self.definition.reader, batch.records["event.original"]
        if isinstance(reader, Ndjson | Windows):
            return reader.read(Lines(original, batch.text), needed)
        return Whole(reader.parse(original, needed))

    def _columns_of(
        self, read: Read, needed: frozenset[str] | None, targets: list[str], told: Mapping[str, pl.Series]
    ) -> tuple[dict[str, Encoded], pl.DataFrame]:
        """Return what was read: columns as numbers, where that will do, and the others as texts."""
        if needed is None:
            return {}, framed(read, None)
        textual = self._textual(targets)
        encoded = read.encoded(needed - textual)
        there = read.names()
        left = [name for name in needed - encoded.keys() - told.keys() if name in there or name in textual]
        return encoded, framed(read, left)

    def _textual(self, targets: list[str]) -> frozenset[str]:
        """Name the own columns that others are made of, and those that are typed."""
        mapped = [name for target in targets for name in self.definition.fields[target].columns]
        return frozenset([*mapped, *self.definition.timestamp, *targets, *ECS, *OWNER])

    def _targets(self) -> list[str]:
        return [name for name in self.definition.fields if name != "@timestamp"]

    def _needed(self, wanted: Collection[str] | None, targets: list[str]) -> frozenset[str] | None:
        if wanted is None:
            return None
        own = frozenset(wanted) - frozenset(targets) - frozenset(OWNER)
        mapped = [name for target in targets for name in self.definition.fields[target].columns]
        return own.union(mapped, self.definition.timestamp)

    def _dead(self, batch: Batch, records: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
        source, origin = pl.lit(batch.source).alias("soc.source"), pl.lit(batch.origin).alias("soc.origin")
        return records.with_columns(source, origin, reasons.alias(ERROR)).select(DEAD.names())

    def _columns(self, own: pl.DataFrame, wanted: Collection[str] | None, targets: list[str]) -> list[pl.Series]:
        schema, fields = own.schema, self.definition.fields
        others = schema.keys() - {*targets, *OWNER}
        kept = [name for name in schema if name in others and (wanted is None or name in wanted)]
        made = [_filled(schema, name, fields[name]) for name in targets]
        typed = [coerced(pl.col(name), schema[name], ECS[name]).alias(name) for name in kept if name in ECS]
        frame = own.with_columns(*made, *typed)  # at once: each step of Polars costs as much as some thousand rows
        return [frame[name] for name in [*targets, *kept]]

    def _times(self, own: pl.DataFrame, told: Mapping[str, pl.Series], received: date | None) -> pl.Series:
        clock = Clock(self.zone or self.definition.zone, self.year, received or self.reference)
        result = pl.Series([None], dtype=TIME).new_from_index(0, own.height)
        for place, name in enumerate(self.definition.timestamp):
            if name in told:
                found = told[name]
            elif name in own.columns:
                found = instants(own[name].list.first() if own.schema[name] == pl.List else own[name], clock)
            else:
                continue
            result = found if place == 0 else pl.select(pl.coalesce(result, found)).to_series()
        return result


def _kept(encoded: Mapping[str, Encoded], rows: pl.Series) -> dict[str, Encoded]:
    there = rows.to_numpy()
    return {name: Encoded(column.texts, column.codes[there]) for name, column in encoded.items()}


def _timed(records: pl.DataFrame) -> bool:
    """Say whether records bring their times along, all of them."""
    return "@timestamp" in records.columns and not records["@timestamp"].has_nulls()


def _filled(schema: pl.Schema, name: str, mapped: Mapped) -> pl.Expr:
    target = ECS[name]
    columns = [_candidate(schema[column], column, mapped, target) for column in mapped.columns if column in schema]
    if mapped.constant is not None:
        columns.append(pl.lit(mapped.constant))
    value = pl.coalesce(columns) if columns else pl.lit(None, pl.String)
    if mapped.values is not None:
        default = pl.lit(mapped.otherwise) if mapped.otherwise is not None else value
        translated = value.replace_strict(mapped.values, default=None, return_dtype=pl.String)
        value = pl.when(value.is_not_null()).then(pl.coalesce(translated, default))
    return value.cast(target).alias(name)


def _candidate(kind: pl.DataType, name: str, mapped: Mapped, target: object) -> pl.Expr:
    value = _nonempty(pl.col(name), kind)
    if mapped.extract is None:
        return coerced(value, kind, target)
    text = coerced(value, kind, pl.String)
    return coerced(text.str.extract(mapped.extract), pl.String, target)


def _nonempty(column: pl.Expr, kind: object) -> pl.Expr:
    """Treat "" and "-" as missing in ECS: they are what loggers write for nothing."""
    return column if kind == pl.List(pl.String) else pl.when(~column.is_in(["", "-"])).then(column)


def to_ecs(events: pl.DataFrame, definition: Definition) -> Iterator[dict[str, Any]]:
    """Yield each event as a nested ECS document, own columns where the definition's `output` puts them."""
    places = {name: _place(name, definition) for name in events.columns if name != "soc.index"}
    for row in events.iter_rows(named=True):
        document: dict[str, Any] = {}
        for name, path in places.items():
            if row[name] is not None:
                _put(document, path, row[name])
        yield document


def _place(name: str, definition: Definition) -> list[str]:
    if name in ECS or name in EVENT:
        return name.split(".")
    if name in definition.output.names:
        return definition.output.names[name].split(".")
    return [*(definition.output.under or definition.name).split("."), name]


def _put(document: dict[str, Any], path: list[str], value: object) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
    document[path[-1]] = value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
