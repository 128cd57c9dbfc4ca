"""The description of a simulated province, read from a YAML file that people write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from connectors.nodes import Node, read_yaml
from connectors.simulator.systems import SYSTEMS
from detectors.errors import DefinitionError
from detectors.nearest import meant

BUILT_IN = Path(__file__).with_name("province.yml")
UNKNOWN = "extra_forbidden"  # pydantic's word
RESERVED = 10  # first addresses of a network: gateway, printers


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Asia/Ho_Chi_Minh") from error
    return name


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2000-{text}")
    except ValueError as error:
        raise ValueError(f"{text!r} is no day of a year, such as 05-10") from error
    return text


Host = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,14}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Day = Annotated[str, AfterValidator(_day_of_year)]  # "05-10": month and day
Fault = tuple[tuple[int | str, ...], str, str]  # where, what is wrong, how it is mended


class Part(BaseModel):
    """A part of the description: unknown names are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Hours(Part):
    """Office hours of a working day."""

    morning: tuple[time, time]
    afternoon: tuple[time, time]

    @model_validator(mode="after")
    def _in_order(self) -> Hours:
        moments = (*self.morning, *self.afternoon)
        if sorted(moments) != list(moments):
            raise ValueError("office hours must run forward, the morning before the afternoon")
        return self


class Desks(Part):
    """A group of people who sit in one network."""

    staff: int = Field(ge=3, le=200)
    network: IPv4Network

    @model_validator(mode="after")
    def _enough_room(self) -> Self:
        room = self.network.num_addresses - RESERVED - 1
        if self.staff > room:
            raise ValueError(f"{self.network} has room for {max(room, 0)} people, not {self.staff}")
        return self


class Unit(Desks):
    """An agency or commune."""

    code: str
    name: str


class Administrators(Desks):
    """The people who run the servers."""

    unit: str


class Server(Part):
    """A Linux server; an `open` one can be reached from the Internet, the `backup` one fetches from the others."""

    name: Host
    ip: IPv4Address
    open: bool = False
    backup: bool = False


class Controller(Part):
    """A Windows domain controller."""

    name: Host
    ip: IPv4Address


class Service(Part):
    """A service account; a `legacy` one still gets RC4 tickets."""

    name: str
    legacy: bool


class Portal(Part):
    """The provincial web portal."""

    host: str
    visits_per_hour: int = Field(ge=1, le=10_000)
    crawls_per_hour: int = Field(ge=0, le=10_000)


class Hotline(Desks):
    """The 1022 hotline."""

    unit: str
    calls_per_hour: int = Field(ge=1, le=10_000)


class Season(Part):
    """Days of every year on which systems are used more (or less) than else: exams, tax, the end of the year."""

    name: str
    systems: tuple[str, ...] = Field(min_length=1)
    since: Day = Field(alias="from")
    until: Day = Field(alias="to")
    times: float = Field(gt=0, le=10)

    def holds(self, day: date) -> bool:
        """Say whether a day belongs to it; one may reach over the end of the year."""
        text = f"{day:%m-%d}"
        if self.since <= self.until:
            return self.since <= text <= self.until
        return text >= self.since or text <= self.until


class Province(Part):
    """Everything the simulator needs to know."""

    domain: str
    netbios: str
    zone: Zone
    hours: Hours
    holidays: tuple[date, ...] = ()  # beside those of the work calendar that comes with the program
    seasons: tuple[Season, ...] = ()
    units: tuple[Unit, ...] = Field(min_length=1)
    administrators: Administrators
    servers: tuple[Server, ...] = Field(min_length=1)
    controllers: tuple[Controller, ...] = Field(min_length=1)
    services: tuple[Service, ...] = Field(min_length=1)
    portal: Portal
    hotline: Hotline

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for role in ("open", "backup"):
            if not any(getattr(server, role) for server in self.servers):
                raise ValueError(f"one of the servers must say `{role}: true`")
        return self


def load(path: Path | None = None) -> Province:
    """Read a description; without a path, the one that comes with the program.

    Raises:
        DefinitionError: with the place of the first fault and, for a misspelt name, the nearest right one.
    """
    document = read_yaml(path or BUILT_IN)
    try:
        spec = Province.model_validate(document.value)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # a misspelt name is two faults, unknown and missing: the first says more
        raise _fault(next((one for one in faults if one["type"] == UNKNOWN), faults[0]), document) from None
    for steps, message, fix in _contradictions(spec):
        raise DefinitionError(f"{'.'.join(map(str, steps))}: {message}", place=document.place(steps), fix=fix)
    return spec


def _contradictions(spec: Province) -> Iterator[Fault]:
    """Yield what is right by itself and wrong beside the rest."""
    yield from _overlaps(spec)
    named = {"units": "code", "servers": "name", "controllers": "name", "services": "name"}
    for part, key in named.items():
        yield from _twice(part, key, [getattr(each, key) for each in getattr(spec, part)])
    places = [(part, at, each.ip) for part in ("servers", "controllers") for at, each in enumerate(getattr(spec, part))]
    for (_, _, one), (part, at, other) in combinations(places, 2):
        if one == other:
            yield (part, at, "ip"), f"the address {other} is taken by another machine", "give each its own"
    yield from _twice("holidays", "", [*spec.holidays])
    known = [system.name for system in SYSTEMS]
    for at, season in enumerate(spec.seasons):
        for number, name in enumerate(season.systems):
            if name not in known:
                fix = meant(name, known) or f"choose from {', '.join(known)}"
                yield ("seasons", at, "systems", number), f"no system is called {name!r}", fix


def _overlaps(spec: Province) -> Iterator[Fault]:
    networks: list[tuple[tuple[int | str, ...], IPv4Network]] = [
        (("units", at, "network"), unit.network) for at, unit in enumerate(spec.units)
    ]
    networks += [(("administrators", "network"), spec.administrators.network)]
    networks += [(("hotline", "network"), spec.hotline.network)]
    for (first, one), (second, other) in combinations(networks, 2):
        if one.overlaps(other):
            where = ".".join(map(str, first))
            yield second, f"{other} overlaps {one} of {where}", "give each its own network"


def _twice(part: str, key: str, values: list[object]) -> Iterator[Fault]:
    for at, value in enumerate(values):
        if value in values[:at]:
            steps: tuple[int | str, ...] = (part, at, key) if key else (part, at)
            yield steps, f"{value} stands there twice", "name each once"


def _fault(first: ErrorDetails, document: Node) -> DefinitionError:
    steps = first["loc"]
    name, place = ".".join(map(str, steps)) or "the description", document.place(steps)
    if first["type"] != UNKNOWN:
        message = first["msg"].removeprefix("Value error, ")
        return DefinitionError(f"{name}: {message}", place=place, fix="correct this part")
    fix = meant(str(steps[-1]), _names(steps[:-1])) or "remove it"
    return DefinitionError(f"{name} is not a known name", place=place, fix=fix)


def _names(steps: tuple[int | str, ...]) -> list[str]:
    """Return the names allowed in the part at that path."""
    kind: Any = Province
    for step in steps:
        # a list is annotated as tuple[Unit, ...]
        kind = kind.model_fields[step].annotation if isinstance(step, str) else kind.__args__[0]
    return list(kind.model_fields)
