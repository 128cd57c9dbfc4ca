"""The rows of a registry, as people write them: units, networks, systems, assets, users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, IPvAnyAddress, model_validator

from connectors.mapping import Columns, Strict
from connectors.written import Clock

CODE: Final = r"^[A-Z]\d{2}(\.\d{1,4}){0,4}$"
CODES: Final = frozenset({"code", "unit", "parent", "becomes"})  # keys of a row that hold one
Criticality = Literal["low", "medium", "high", "critical"]


def _network(value: object) -> object:
    """Read a network, and name the right one where an address stands for it."""
    if not isinstance(value, str):
        return value
    try:
        return ip_network(value)
    except ValueError:
        try:
            near = ip_network(value, strict=False)
        except ValueError:
            raise ValueError(f"{value!r} is no network; write 10.52.9.0/24") from None
        raise ValueError(f"{value!r} is no network but an address in one; did you mean {near}?") from None


def _blank(value: object) -> object:
    """Leave out what a table has empty cells for."""
    return {key: one for key, one in value.items() if one not in ("", None)} if isinstance(value, dict) else value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Code = Annotated[str, Field(pattern=CODE)]


class Row(Strict):
    """A row that holds from one day to another, both included, in local time."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: date | None = Field(default=None, alias="from")
    until: date | None = Field(default=None, alias="to")

    @model_validator(mode="before")
    @classmethod
    def _cells(cls, value: Any) -> Any:  # noqa: ANN401  whatever stands in a file
        return _blank(value)

    @model_validator(mode="after")
    def _forward(self) -> Row:
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"it ends on {self.until}, before it begins on {self.since}")
        return self

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def meets(self, other: Row) -> bool:
        """Say whether there is a day on which both hold."""
        first = max(self.since or date.min, other.since or date.min)
        return first <= min(self.until or date.max, other.until or date.max)


class Contact(Strict):
    """Whom to call."""

    name: str
    role: str = ""
    phone: str = ""
    email: str = ""


class Opening(Strict):
    """Office hours of a unit."""

    morning: tuple[Clock, Clock]
    afternoon: tuple[Clock, Clock]

    @model_validator(mode="after")
    def _in_order(self) -> Opening:
        moments = (*self.morning, *self.afternoon)
        if list(moments) != sorted(moments):
            raise ValueError("office hours must run forward, the morning before the afternoon")
        return self


class Unit(Row):
    """An organisation; one that ends may become another."""

    code: Code
    name: str
    kind: str = ""
    parent: Code | None = None
    region: str = ""
    gso: str = Field(default="", pattern=r"^\d*$")
    becomes: Code | None = None
    aliases: Columns = ()
    networks: tuple[Network, ...] = ()
    contacts: tuple[Contact, ...] = ()
    duty: bool = False  # works day and night
    hours: Opening | None = None


class Net(Row):
    """A network of a unit."""

    network: Network
    unit: Code
    name: str = ""


class System(Row):
    """An information system, and the sources of logs it has."""

    id: str = Field(pattern=r"^[\w.-]+$")
    name: str = ""
    unit: Code | None = None
    criticality: Criticality = "medium"
    level: int | None = Field(default=None, ge=1, le=5)
    sources: Columns = ()
    contacts: tuple[Contact, ...] = ()


class Asset(Row):
    """A machine, known by its name or its addresses."""

    host: str = ""
    ip: Annotated[tuple[IPvAnyAddress, ...], BeforeValidator(lambda v: v.split() if isinstance(v, str) else v)] = ()
    unit: Code | None = None
    system: str = ""
    criticality: Criticality | None = None
    role: str = ""

    @model_validator(mode="after")
    def _known(self) -> Asset:
        if not self.host and not self.ip:
            raise ValueError("an asset needs `host` or `ip`")
        return self


class User(Row):
    """An account, and whose it is."""

    name: str
    unit: Code | None = None
    kind: str = "staff"  # staff, administrator, service, supplier, …


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file of one section whose headings are somebody else's; those that aren't named here are left out."""

    path: Path
    section: str
    columns: Mapping[str, str]  # key → heading in the file


def keys(model: type[Row]) -> list[str]:
    """Return the keys that a row may have."""
    return sorted(each.alias or name for name, each in model.model_fields.items())


SECTIONS: Final[dict[str, type[Row]]] = {
    "units": Unit,
    "networks": Net,
    "systems": System,
    "assets": Asset,
    "users": User,
}
