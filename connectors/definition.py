"""What a source definition says: what a log source is called, how its lines read, and what its fields mean."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, Final, Literal

import polars as pl
from pydantic import Field, field_validator

from connectors.derive import DERIVATIONS
from connectors.formats import FORMATS, Format
from connectors.formats.frames import ERROR
from connectors.mapping import Columns, Extraction, Filled, Lookup, Pattern, Strict
from connectors.vietnamese import Encoding
from connectors.written import known, known_zone
from detectors.contracts import Dialect, LogSource
from detectors.schema import ECS, EVENT

CLOSED: Final = frozenset(
    {"access", "daemon", "syslog"}
)  # formats whose columns, but for parts of them, are always the same


class Service(Strict):
    """The log source, as Sigma rules name it."""

    category: str | None = None
    product: str | None = None
    service: str | None = None


class Output(Strict):
    """Where own columns stand in `soc parse`: `names` by column, the others below `under`."""

    under: str | None = None
    names: dict[str, str] = Field(default_factory=dict)


class Hints(Strict):
    """How to tell this source from others that read alike.

    Of the sample's lines, the share counts that parse and have all `columns` (and there one of the `values`, or what
    `matches`), times `weight`. Lines that hold `ignore` tell nothing. `label` holds words of file names that decide
    between equals. `holds` are texts one of which stands in every line: a cheap look before lines are read, beside the
    texts that patterns tell by themselves.
    """

    holds: Columns = ()
    columns: Columns = ()
    values: dict[str, Columns] = Field(default_factory=dict)
    matches: dict[str, Pattern] = Field(default_factory=dict)
    ignore: Pattern | None = None
    label: Columns = ()
    weight: float = Field(default=1.0, ge=0, le=1)

    @property
    def told(self) -> frozenset[str]:
        """Return the columns that tell the source."""
        return frozenset({*self.columns, *self.values, *self.matches})


class Expected(Strict):
    """How much the source writes: fewer events, or none for so long (`30m`, `2h`, `1d`), mean that it fell silent."""

    events_per_hour: float = Field(default=0, ge=0)
    silence: str = Field(default="1d", pattern=r"^[1-9]\d*[mhd]$")


class Sample(Strict):
    """A line of the source, and what it must become: ECS columns, dotted or nested; null says that there is none.

    What is not named may be anything. Own columns stand where `output` puts them in `soc parse`.
    """

    input: str
    expected: dict[str, Any] = Field(min_length=1)


Transport = Literal["syslog", "file", "eventlog", "http", "kafka"]


class Definition(Strict):
    """A log source."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str = ""
    sector: str = ""  # whose business the system serves: health, education, …
    format: str
    options: dict[str, Any] = Field(default_factory=dict)
    zone: str = "UTC"
    utc: Columns = ()  # own columns whose times are in UTC, whatever the zone of the others
    encoding: Encoding | None = None  # of bytes that aren't UTF-8; None: told by the words they would make
    logsource: Service = Service()
    transport: tuple[Transport, ...] = ()
    multiline: Pattern | None = None  # the beginning of a record; lines that don't have it belong to the one before
    heading: Pattern | None = None  # lines at the head of files: no events, and nobody misses them
    timestamp: Columns = ()
    extract: tuple[Extraction, ...] = ()
    lookup: tuple[Lookup, ...] = ()
    fields: dict[str, Filled] = Field(default_factory=dict)
    derive: tuple[str, ...] = ()
    aliases: dict[str, Columns] = Field(default_factory=dict)
    columns: Columns | None = None  # all that events can have, where the format allows any: tells blind rules
    entity: Columns = ()
    personal: Columns = ()  # columns that hold personal data
    criticality: Literal["low", "medium", "high", "critical"] = "medium"
    retention: str = Field(default="365d", pattern=r"^[1-9]\d*[dwy]$")
    expected: Expected = Expected()
    output: Output = Output()
    recognise: Hints = Hints()
    samples: tuple[Sample, ...] = ()  # what `soc sources test` runs

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return known(value, FORMATS, "format")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("derive")
    @classmethod
    def _known_derivations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known(name, DERIVATIONS, "derivation") for name in value)

    @property
    def reader(self) -> Format:
        """Return the format with this source's options."""
        return FORMATS[self.format](**self.options)

    @cached_property
    def dialect(self) -> Dialect:
        """Return what rules need to know of this source."""
        source = LogSource(self.logsource.category, self.logsource.product, self.logsource.service)
        return Dialect(self.name, source, self.aliases, structured=self.reader.structured)

    @property
    def steps(self) -> tuple[Extraction | Lookup, ...]:
        """Return what fills further own columns, in its order."""
        return (*self.extract, *self.lookup)

    @cached_property
    def mapped(self) -> frozenset[str]:
        """Return the own columns that ECS columns are filled from."""
        return frozenset(source for ways in self.fields.values() for way in ways for source in way.sources)

    @cached_property
    def own_columns(self) -> frozenset[str] | None:
        """Return all own columns that events can have, parts of them aside; None where any is possible."""
        if self.columns is not None:
            return frozenset(self.columns).union(*(step.columns for step in self.steps))
        if self.format not in CLOSED:
            return None
        return _columns_of(self.reader).union(*(step.columns for step in self.steps))

    @cached_property
    def filled(self) -> frozenset[str]:
        """Return the ECS columns that can have a value, as far as that is known."""
        made = {name for each in self.derive for name in DERIVATIONS[each].makes}
        stepped = {name for step in self.steps for name in step.columns if name in ECS}
        return frozenset(EVENT).union(self.fields, made, stepped, (self.own_columns or frozenset()) & ECS.keys())

    def all_columns(self, own: frozenset[str]) -> frozenset[str]:
        """Return all columns of events that have these own ones: theirs, and those filled from them."""
        filled = {name for name, ways in self.fields.items() if any(way.constant or own & way.sources for way in ways)}
        made = {name for each in self.derive for name in DERIVATIONS[each].makes if filled & {*DERIVATIONS[each].needs}}
        return own.union(filled, made, EVENT)


@lru_cache(maxsize=100)  # sources share formats
def _columns_of(reader: Format) -> frozenset[str]:
    return frozenset(reader.parse(pl.Series([], dtype=pl.String), None).columns) - {ERROR}
