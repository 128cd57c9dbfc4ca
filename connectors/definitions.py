"""Source definitions: what a log source is called, how its lines read, and what its fields mean (`sources/*.yml`).

Adding an application log is one such file and no Python. A wrong file is refused; the message names line and fix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import polars as pl
from pydantic import Field, ValidationError, field_validator

from connectors.derive import DERIVATIONS
from connectors.faults import (
    DefinitionsError,
    never_filled,
    refused,
    unknown_columns,
    unknown_made,
    unknown_options,
    unknown_personal,
)
from connectors.formats import FORMATS, Format
from connectors.formats.frames import ERROR
from connectors.kept import Kept, contents, program
from connectors.mapping import PROVED, Columns, Extraction, Filled, Lookup, Pattern, Strict
from connectors.marks import Marks, marks
from connectors.nodes import read_yaml, with_base, with_catalogues
from connectors.vietnamese import Encoding
from connectors.written import known, known_zone
from detectors.contracts import Dialect, LogSource
from detectors.errors import DefinitionError
from detectors.schema import ECS, EVENT

BUILT_IN: Final = Path(__file__).parent / "sources"
CATALOGUES: Final = Path(__file__).parent / "catalogues"
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


class Definitions(Mapping[str, Definition]):
    """Definitions by their names; those that were kept are made when they are first asked for: most never are."""

    def __init__(
        self, stored: Mapping[str, Definition | dict[str, Any]], marks: Mapping[str, Marks] | None = None
    ) -> None:
        self._stored, self._marks = dict(stored), dict(marks or {})

    def __getitem__(self, name: str) -> Definition:
        one = self._stored[name]
        if isinstance(one, dict):
            one = self._stored[name] = Definition.model_validate(one, context=PROVED)
        return one

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def marks(self, name: str) -> Marks:
        """Return what tells quickly whether lines can be of a source."""
        if name not in self._marks:
            self._marks[name] = marks(self[name])
        return self._marks[name]

    def only(self, names: Iterable[str]) -> Definitions:
        """Return those of these names."""
        chosen = list(names)
        return Definitions({name: self._stored[name] for name in chosen}, {name: self.marks(name) for name in chosen})

    def over(self, others: Definitions) -> Definitions:
        """Return these, and of the others what has no namesake here."""
        known = {name: each for name, each in others._marks.items() if name not in self}
        return Definitions({**others._stored, **self._stored}, {**known, **self._marks})


def means(definitions: Mapping[str, Definition]) -> Callable[[str], tuple[str | None, object]]:
    """Return what tells a source's beginning of a record and its format, as `connectors.multiline` asks for them."""

    @cache
    def meaning(source: str) -> tuple[str | None, object]:
        one = definitions.get(source)
        return (None, None) if one is None else (one.multiline, one.reader)

    return meaning


def load_definitions(folders: Iterable[Path] = (BUILT_IN,), cache: Path | None = None) -> Definitions:
    """Read all `*.yml` of the folders; a later folder's definition replaces an earlier one of that name.

    Folders of which no file has changed are taken from the folder `cache`.

    Raises:
        DefinitionsError: when any is wrong, after all were read.
    """
    found = Definitions({})
    faults: list[DefinitionError] = []
    for folder in map(Path, folders):
        try:
            found = _known(folder, cache).over(found)
        except DefinitionsError as wrong:
            faults.extend(wrong.faults)
    if faults:
        raise DefinitionsError(faults)
    return found


def _known(folder: Path, cache: Path | None) -> Definitions:
    """Return the definitions of a folder, as they were found right before or are found right now."""
    if cache is None:
        return Definitions(_checked(folder))
    read = (folder, folder / "catalogues", BUILT_IN, CATALOGUES)  # a definition is like another, and names catalogues
    kept = Kept(cache, "sources", program(), os.fsencode(folder), contents(dict.fromkeys(read)))
    try:
        return _decoded(kept.read() or b"")
    except (ValueError, TypeError, KeyError):  # nothing is kept, or it is damaged
        found = Definitions(_checked(folder))
    body = orjson.dumps([[_encoded(one), found.marks(name).encode()] for name, one in found.items()])
    if _decoded(body) == found:
        kept.write(body)
    return found


def _encoded(one: Definition) -> dict[str, Any]:
    return one.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _decoded(body: bytes) -> Definitions:
    every = orjson.loads(body)
    stored = {one["name"]: one for one, _ in every}
    return Definitions(stored, {one["name"]: Marks.decode(told) for one, told in every})


def _checked(folder: Path) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    faults: list[DefinitionError] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            definition = load_definition(path, proved=path.parent == BUILT_IN)
            found[definition.name] = definition
        except DefinitionsError as wrong:
            faults.extend(wrong.faults)
    if faults:
        raise DefinitionsError(faults)
    return found


def load_definition(path: Path, *, proved: bool = False) -> Definition:
    """Read one definition; of one that is `proved` patterns are not tried, which takes longer than all else.

    Raises:
        DefinitionsError: with all its faults.
    """
    try:
        node = with_base(read_yaml(path), (path.parent, BUILT_IN))
        node = with_catalogues(node, (path.parent / "catalogues", CATALOGUES))
    except DefinitionError as error:
        raise DefinitionsError([error]) from None
    faults = list(unknown_columns(node))
    try:
        definition = Definition.model_validate(node.value, context=PROVED if proved else None)
    except ValidationError as error:
        raise DefinitionsError([*faults, *refused(error, node, Definition)]) from None
    faults += unknown_options(definition.format, definition.options, node)
    faults += unknown_made({"extract": definition.extract, "lookup": definition.lookup}, node)
    faults += never_filled(definition.entity, definition.filled, open_=definition.own_columns is None, node=node)
    faults += unknown_personal(definition.personal, definition.own_columns, definition.filled, node)
    if faults:
        raise DefinitionsError(faults)
    return definition
