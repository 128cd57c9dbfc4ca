"""The description of a simulated province, read from a YAML file that people write."""

from __future__ import annotations

from datetime import date, time
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from connectors.nodes import Node, read_yaml
from detectors.errors import DefinitionError

BUILT_IN = Path(__file__).with_name("province.yml")
UNKNOWN = "extra_forbidden"  # pydantic's word
RESERVED = 10  # first addresses of a network: gateway, printers


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Asia/Ho_Chi_Minh") from error
    return name


Host = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,14}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]


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


class Province(Part):
    """Everything the simulator needs to know."""

    domain: str
    netbios: str
    zone: Zone
    hours: Hours
    holidays: tuple[date, ...] = ()
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
        return Province.model_validate(document.value)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # a misspelt name is two faults, unknown and missing: the first says more
        raise _fault(next((one for one in faults if one["type"] == UNKNOWN), faults[0]), document) from None


def _fault(first: ErrorDetails, document: Node) -> DefinitionError:
    steps = first["loc"]
    name, place = ".".join(map(str, steps)) or "the description", document.place(steps)
    if first["type"] != UNKNOWN:
        message = first["msg"].removeprefix("Value error, ")
        return DefinitionError(f"{name}: {message}", place=place, fix="correct this part")
    near = get_close_matches(str(steps[-1]), _names(steps[:-1]), n=1)
    fix = f"did you mean {near[0]!r}?" if near else "remove it"
    return DefinitionError(f"{name} is not a known name", place=place, fix=fix)


def _names(steps: tuple[int | str, ...]) -> list[str]:
    """Return the names allowed in the part at that path."""
    kind: Any = Province
    for step in steps:
        # a list is annotated as tuple[Unit, ...]
        kind = kind.model_fields[step].annotation if isinstance(step, str) else kind.__args__[0]
    return list(kind.model_fields)
