"""The parser of every defined source: format, then times, then ECS columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import polars as pl

from connectors import derive, extraction
from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.expressions import coerced, fillable, filled, template, typed
from connectors.formats.frames import ERROR
from connectors.formats.json_lines import Lines, Read, Whole, framed
from connectors.formats.json_members import JsonMembers
from connectors.formats.ndjson import Ndjson
from connectors.formats.windows import Windows
from connectors.mapping import Extraction, Lookup, Mapped, pieces
from connectors.multiline import joined
from connectors.times import REFERENCE, Clock, instants
from connectors.vietnamese import readable
from connectors.wrappers import unwrap
from detectors.contracts import Batch, Dialect, Encoded, Parsed
from detectors.schema import DEAD, ECS, EVENT, HEADING, TIME

ZONE: Final = "soc.zone"  # an own column of every source: the zone that times are in
Steps = Sequence[Extraction | Lookup]
OFFSET: Final = r":\d\d(?:[.,]\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)$"


@dataclass(slots=True)
class DefinedParser:
    """Parses the records of a source as its definition says.

    `zone` replaces the definition's. `year` and `reference` are for times without a year: see `connectors.times`.
    """

    definition: Definition
    year: int | None = None
    zone: str | None = None
    reference: date = REFERENCE
    enrichment: Enrichment | None = None
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        self.dialect = self.definition.dialect

    def parse(self, batch: Batch, wanted: Collection[str] | None) -> Parsed:
        """Parse a batch: own columns wanted, and ECS columns wanted (None: all of both).

        An own column stands under its name unless an ECS column of that name is wanted: then the typed one does.
        """
        if self.enrichment is None or (wanted is not None and not self.enrichment.makes(wanted)):
            return self._parse(batch, wanted)
        parsed = self._parse(batch, None if wanted is None else self.enrichment.needed(wanted))
        events = self.enrichment.added(parsed.events, wanted, self.definition.name, self.definition.criticality)
        if wanted is not None:
            events = events.drop(set(events.columns).difference(wanted, batch.carried, EVENT))
        return replace(parsed, events=events)

    def _parse(self, batch: Batch, wanted: Collection[str] | None) -> Parsed:
        """Parse a batch without looking anything up."""
        batch = unwrap(batch)
        if not batch.whole:
            batch = joined(batch, self.definition.multiline, self.definition.reader)
        asked = None if wanted is None else derive.needed(self.definition.derive, wanted)
        targets = [name for name in self._targets() if asked is None or name in asked]
        records = batch.records
        needed = self._needed(asked, targets)
        fields = None if needed is None else needed - {ERROR}  # readers use that column for what is wrong with a line
        original = records[extraction.LINE]
        lines = readable(original, self.definition.encoding, json=self.definition.reader.structured)
        found = self._read(lines, batch.text if lines is original else None, fields)
        told = self._told(found)
        steps = self._steps(needed)
        encoded, read = self._chosen(found, fields, self._textual(targets, steps), told)
        if self.definition.heading is not None:
            heads = pl.lit(lines.str.contains(self.definition.heading))
            read = read.with_columns(pl.when(heads).then(pl.lit(HEADING)).otherwise(ERROR).alias(ERROR))
        dead = DEAD.to_frame()
        if read[ERROR].null_count() < read.height:
            failed = read[ERROR].is_not_null()
            dead = self._dead(batch, records.filter(failed), read[ERROR].drop_nulls())
            records, read, encoded = records.filter(~failed), read.filter(~failed), _kept(encoded, ~failed)
            lines = lines.filter(~failed)
            told = {name: times.filter(~failed) for name, times in told.items()}
        own = read.drop(ERROR).with_columns(lines.alias(extraction.LINE))
        own = extraction.completed(own, steps, needed)
        clock = Clock(self.zone or self.definition.zone, self.year, batch.received or self.reference)
        times = self._times(own, told, clock) if not _timed(records) else records["@timestamp"]
        zoned = own.with_columns(self._zone(own, clock).alias(ZONE))
        columns = self._columns(zoned, asked, targets, clock)
        if self.definition.derive:
            events = pl.DataFrame([times.alias("@timestamp"), *columns])
            columns = derive.derived(events, self.definition.derive, wanted).get_columns()
        kept = [each for each in columns if each.name not in EVENT and (wanted is None or each.name in wanted)]
        beside = _beside(records.select(batch.carried), kept)
        return Parsed(pl.DataFrame([times.alias("@timestamp"), *beside.values()]), dead, encoded)

    def _read(self, lines: pl.Series, text: memoryview | None, needed: frozenset[str] | None) -> Read:
        reader = self.definition.reader
        if isinstance(reader, Ndjson | JsonMembers | Windows):
            return reader.read(Lines(lines, text), needed)
        return Whole(reader.parse(lines, needed))

    def _told(self, found: Read) -> dict[str, pl.Series]:
        """Return the columns of times that are read already, where nobody needs their texts."""
        if ZONE in self.definition.mapped:
            return {}
        return {name: times for name in self.definition.timestamp if (times := found.times(name)) is not None}

    def _chosen(
        self, found: Read, needed: frozenset[str] | None, textual: frozenset[str], told: Mapping[str, pl.Series]
    ) -> tuple[dict[str, Encoded], pl.DataFrame]:
        """Return what was read: columns as numbers, where that will do, and the others as texts."""
        if needed is None:
            return {}, framed(found, None)
        encoded = found.encoded(needed - textual)
        there = found.names()
        left = [name for name in needed - encoded.keys() - told.keys() if name in there or name in textual]
        return encoded, framed(found, left)

    def _textual(self, targets: list[str], steps: Steps) -> frozenset[str]:
        """Name the own columns that others are made of, and those that are typed."""
        made = [source for name in targets for way in self.definition.fields[name] for source in way.sources]
        stepped = [name for step in steps for name in step.sources | step.columns]
        times = [piece for name in self.definition.timestamp for piece in pieces(name)[1::2] or (name,)]
        return frozenset([*made, *stepped, *times, *targets, *ECS, *EVENT])

    def _steps(self, needed: frozenset[str] | None) -> Steps:
        """Return the patterns and tables that make what is needed of the own columns."""
        return [step for step in self.definition.steps if needed is None or step.columns & needed]

    def _targets(self) -> list[str]:
        return [name for name in self.definition.fields if name != "@timestamp"]

    def _needed(self, wanted: Collection[str] | None, targets: list[str]) -> frozenset[str] | None:
        if wanted is None:
            return None
        found = frozenset(wanted) - frozenset(targets) - frozenset(EVENT)
        found = found.union(*(way.sources for name in targets for way in self.definition.fields[name]))
        found = found.union(
            *(pieces(name)[1::2] or (name,) for name in self.definition.timestamp),
            targets if self.definition.steps else (),
        )
        for step in reversed(self.definition.steps):
            if step.columns & found:
                found |= step.sources
        return found

    def _dead(self, batch: Batch, records: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
        source, origin = pl.lit(batch.source).alias("soc.source"), pl.Series("soc.origin", batch.origins(records))
        return records.with_columns(source, origin, reasons.alias(ERROR)).select(DEAD.names())

    def _columns(
        self, own: pl.DataFrame, wanted: Collection[str] | None, targets: list[str], clock: Clock
    ) -> list[pl.Series]:
        schema, fields = own.schema, self.definition.fields
        others = schema.keys() - {*targets, *EVENT, ZONE}
        kept = [name for name in schema if name in others and (wanted is None or name in wanted)]
        made = [filled(schema, name, fields[name]) for name in targets if fillable(schema, name, fields[name])]
        own_ecs = [name for name in kept if name in ECS]
        made += [typed(coerced(pl.col(name), schema[name], ECS[name]), name).alias(name) for name in own_ecs]
        frame = own.with_columns(*made)  # at once: each step of Polars costs as much as some thousand rows
        found = {column.name: column for column in frame.get_columns()}
        return [
            pl.Series(name, [None], ECS[name]).new_from_index(0, own.height)
            if name not in found
            else instants(found[name].cast(pl.String), self._clock_of(_sources(fields.get(name, ())), clock))
            if ECS.get(name) == TIME
            else found[name]
            for name in [*targets, *kept]
        ]

    def _times(self, own: pl.DataFrame, told: Mapping[str, pl.Series], clock: Clock) -> pl.Series:
        result = pl.Series([None], dtype=TIME).new_from_index(0, own.height)
        for place, name in enumerate(self.definition.timestamp):
            if place and not result.null_count():
                break
            text = None if name in told else self._clock(own, name)
            if name in told:
                result = pl.select(pl.coalesce(result, told[name])).to_series() if place else told[name]
            elif text is not None:
                left = (result.is_null() & text.is_not_null()).arg_true()
                if left.len():
                    result = result.scatter(left, instants(text.gather(left), self._clock_of({name}, clock)))
        return result

    def _clock_of(self, columns: Collection[str], clock: Clock) -> Clock:
        """Return the clock of what is read from these columns."""
        return replace(clock, zone="UTC") if columns and {*columns} <= {*self.definition.utc} else clock

    def _zone(self, own: pl.DataFrame, clock: Clock) -> pl.Expr:
        """Return the zone of each time: the one it says, or the clock's."""
        names = self.definition.timestamp if ZONE in self.definition.mapped else ()
        texts = [pl.lit(text) for name in names if (text := self._clock(own, name)) is not None]
        if not texts:
            return pl.lit(clock.zone)
        said = (
            pl.coalesce(texts).str.extract(OFFSET).str.replace(r"^(...)(..)$", "$1:$2").str.replace(r"^(...)$", "$1:00")
        )
        return pl.coalesce(pl.when(said == "Z").then(pl.lit("UTC")).otherwise(said), pl.lit(clock.zone))

    @staticmethod
    def _clock(own: pl.DataFrame, name: str) -> pl.Series | None:
        """Return a column that tells the time, or what a template makes of several."""
        if "{" in name:
            return own.with_columns(template(own.schema, pieces(name)).alias(name))[name]
        if name not in own.columns:
            return None
        return own[name].list.first() if own.schema[name] == pl.List else own[name]


def _sources(ways: Sequence[Mapped]) -> frozenset[str]:
    """Return the own columns whose values an ECS column takes."""
    return frozenset(name for way in ways for name in (*way.columns, *way.pieces[1::2]))


def _beside(carried: pl.DataFrame, made: Sequence[pl.Series]) -> dict[str, pl.Series]:
    """Return what came with records, and what was made of them, which counts more."""
    found = {column.name: column for column in carried}
    for column in made:
        if column.name in found:
            same = found[column.name].cast(column.dtype)
            column = pl.select(pl.coalesce(column, same)).to_series().alias(column.name)  # noqa: PLW2901
        found[column.name] = column
    return found


def _kept(encoded: Mapping[str, Encoded], rows: pl.Series) -> dict[str, Encoded]:
    there = rows.to_numpy()
    return {name: column.only(there) for name, column in encoded.items()}


def _timed(records: pl.DataFrame) -> bool:
    """Say whether records bring their times along, all of them."""
    return "@timestamp" in records.columns and not records["@timestamp"].has_nulls()


def to_ecs(events: pl.DataFrame, definition: Definition) -> Iterator[dict[str, Any]]:
    """Yield each event as a nested ECS document, own columns where the definition's `output` puts them."""
    events = events.select(column for column in events if column.null_count() < events.height)
    places = {name: _place(name, definition) for name in events.columns if name != "soc.index"}
    for row in events.iter_rows(named=True):
        document: dict[str, Any] = {}
        for name, path in places.items():
            if row[name] is not None:
                _put(document, path, row[name])
        yield document


def _place(name: str, definition: Definition) -> list[str]:
    if name in ECS or name in EVENT or name.startswith("soc."):
        return name.split(".")
    if name in definition.output.names:
        return definition.output.names[name].split(".")
    return [*(definition.output.under or definition.name).split("."), name]


def _put(document: dict[str, Any], path: list[str], value: object) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
    document[path[-1]] = value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
