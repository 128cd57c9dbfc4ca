"""The parser of every defined source: format, then times, then ECS columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from connectors.definitions import Definition, Mapped, coerced
from connectors.formats.json_lines import ERROR
from connectors.times import REFERENCE, Clock, instants
from detectors.contracts import Batch, Dialect, Parsed
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
        own = self.definition.reader.parse(records["event.original"], self._needed(wanted, targets))
        failed = own[ERROR].is_not_null()
        dead = self._dead(batch, records.filter(failed), own[ERROR].drop_nulls())
        if failed.any():
            records, own = records.filter(~failed), own.filter(~failed)
        columns = self._columns(own, wanted, targets)
        times = self._times(own, batch.received) if not _timed(records) else records["@timestamp"]
        events = records.select(RECORD.names()).with_columns(times, *columns)
        return Parsed(events.select(*EVENT, pl.exclude(EVENT.names())), dead)

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
        ecs = {name: _filled(own, name, self.definition.fields[name]) for name in targets}
        for name in own.columns:
            kept = wanted is None or name in wanted
            if kept and name not in ecs and name not in OWNER:
                ecs[name] = _typed(own, name)
        return [column.alias(name) for name, column in ecs.items()]

    def _times(self, own: pl.DataFrame, received: date | None) -> pl.Series:
        clock = Clock(self.zone or self.definition.zone, self.year, received or self.reference)
        result = pl.Series("@timestamp", [None], TIME).new_from_index(0, own.height)
        for name in self.definition.timestamp:
            left = result.is_null().arg_true()
            if left.is_empty():
                break
            if name in own.columns:
                text = own.select(coerced(pl.col(name), own.schema[name], pl.String)).to_series()
                result = result.scatter(left, instants(text.gather(left), clock))
        return result


def _timed(records: pl.DataFrame) -> bool:
    """Say whether records bring their times along, all of them."""
    return "@timestamp" in records.columns and not records["@timestamp"].has_nulls()


def _filled(own: pl.DataFrame, name: str, mapped: Mapped) -> pl.Series:
    target = ECS[name]
    columns = [_candidate(own, column, mapped, target) for column in mapped.columns if column in own.columns]
    if mapped.constant is not None:
        columns.append(pl.lit(mapped.constant))
    value = pl.coalesce(columns) if columns else pl.lit(None, pl.String)
    if mapped.values is not None:
        default = pl.lit(mapped.otherwise) if mapped.otherwise is not None else value
        translated = value.replace_strict(mapped.values, default=None, return_dtype=pl.String)
        value = pl.when(value.is_not_null()).then(pl.coalesce(translated, default))
    frame = own.select(value.cast(target).alias(name))
    return frame.to_series() if frame.height == own.height else frame.to_series().new_from_index(0, own.height)


def _candidate(own: pl.DataFrame, name: str, mapped: Mapped, target: object) -> pl.Expr:
    value = _nonempty(pl.col(name), own.schema[name])
    if mapped.extract is None:
        return coerced(value, own.schema[name], target)
    text = coerced(value, own.schema[name], pl.String)
    return coerced(text.str.extract(mapped.extract), pl.String, target)


def _nonempty(column: pl.Expr, kind: object) -> pl.Expr:
    """Treat "" and "-" as missing in ECS: they are what loggers write for nothing."""
    return column if kind == pl.List(pl.String) else pl.when(~column.is_in(["", "-"])).then(column)


def _typed(own: pl.DataFrame, name: str) -> pl.Series:
    """Give an own column with an ECS name the type that ECS columns have everywhere."""
    if name in ECS and name != "@timestamp":
        return own.select(coerced(pl.col(name), own.schema[name], ECS[name]).alias(name)).to_series()
    return own[name]


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
