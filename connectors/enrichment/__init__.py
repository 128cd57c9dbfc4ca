"""What is known about who and what an event names, added between parsing and detection: joins, in every mode the same.

Only columns that somebody asks for are made: rules' fields for all events, everything for the few that findings show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from connectors import derive
from connectors.enrichment import agents
from connectors.enrichment.distinct import looked_up_pairs
from connectors.enrichment.geo import FIELDS as GEO
from connectors.enrichment.geo import Geo
from connectors.enrichment.kinds import kind
from connectors.enrichment.lists import Lists
from connectors.enrichment.organisations import Organisations
from connectors.registry import Registry
from detectors.errors import SocError
from detectors.schema import ECS
from detectors.workdays import Workdays

SIDES: Final = ("source", "destination")
WHOSE: Final = (
    "organization.id",
    "organization.name",
    "host.name",
    "host.ip",
    "source.ip",
    "destination.ip",
    "user.name",
)
ORGANISATION: Final = (
    "organization.id", "organization.name", "soc.organization.said", "soc.organization.parent",
    "soc.organization.kind", "soc.organization.region",
)  # fmt: skip
ASSET: Final = {f"soc.asset.{name}": name for name in ("criticality", "role", "system", "unit")}
SYSTEM: Final = {"criticality": "criticality", "system": "id", "unit": "unit"}  # what a system tells of its machines
USER: Final = {f"soc.user.{name}": name for name in ("unit", "kind", "status")}
CALENDAR: Final = {f"soc.calendar.{name}": name for name in ("day", "hours", "off")}
DOMAIN: Final = tuple(f"url.{name}" for name in ("registered_domain", "subdomain", "top_level_domain"))
Wanted = Collection[str]


@dataclass(frozen=True, slots=True)
class Step:
    """Makes columns from others; `replaces` says that what it makes counts more than what the source told."""

    needs: tuple[str, ...]
    makes: tuple[str, ...]
    make: Callable[[pl.DataFrame, frozenset[str]], Mapping[str, pl.Series]]
    replaces: bool = False
    always: bool = False  # also where events have none of what it needs but the time


@dataclass(frozen=True)
class Enrichment:
    """What can be looked up; without parts only what addresses, agents and URLs tell by themselves."""

    organisations: Organisations = field(default_factory=lambda: Organisations(Registry()))
    workdays: Workdays = field(default_factory=lambda: Workdays(ZoneInfo("Asia/Ho_Chi_Minh")))
    geo: Geo = field(default_factory=lambda: Geo(()))
    lists: Lists = field(default_factory=Lists)
    faults: tuple[SocError, ...] = ()  # of what was to be looked up in, and could not be read

    def makes(self, wanted: Wanted) -> bool:
        """Say whether any of the wanted columns can be looked up."""
        return not MAKES.isdisjoint(wanted)

    def needed(self, wanted: Wanted) -> frozenset[str]:
        """Return the columns that must be there so that the wanted ones can be made."""
        found = frozenset(wanted)
        for step in reversed(self.steps()):
            if found.intersection(step.makes):
                found |= frozenset(step.needs)
        return found

    def added(
        self, events: pl.DataFrame, wanted: Wanted | None, source: str = "", criticality: str = ""
    ) -> pl.DataFrame:
        """Return the events with what is wanted (None: all) of what can be known; columns without a value are left out.

        Of machines that nobody registered the system that has this source tells, then the source's `criticality`.
        """
        for step in self.steps(source, criticality):
            asked = frozenset(step.makes) if wanted is None else frozenset(step.makes).intersection(wanted)
            if not asked or not (step.always or _there(events, step.needs)):
                continue
            made = step.make(_with(events, step.needs), asked)
            columns = [column.alias(name) for name, column in made.items() if column.null_count() < column.len()]
            events = events.with_columns(_joined(events, column, replaces=step.replaces) for column in columns)
        return events

    def steps(self, source: str = "", criticality: str = "") -> tuple[Step, ...]:
        """Return what is made, in order: later steps may need what earlier ones make."""
        return (
            Step(
                ("@timestamp", *WHOSE),
                ORGANISATION,
                lambda f, w: self._organisation(f, w, source),
                replaces=True,
                always=any(source in system.sources for system in self.organisations.registry.systems),
            ),
            Step(
                ("@timestamp", "host.name", "host.ip"),
                tuple(ASSET),
                lambda f, w: self._asset(f, w, source, criticality),
                always=True,
            ),
            Step(("@timestamp", "user.name"), tuple(USER), self._user),
            *(Step(("@timestamp", f"{side}.ip"), _sided(side), _side(self, side)) for side in SIDES),
            Step(("@timestamp", "organization.id"), tuple(CALENDAR), self._calendar, always=True),
            Step(("user_agent.original",), agents.MAKES, _agent),
            Step(("url.domain",), DOMAIN, _domain),
        )

    def _organisation(self, frame: pl.DataFrame, wanted: frozenset[str], source: str) -> dict[str, pl.Series]:
        known, days = self.organisations, self.days(frame)
        code = _pairs(frame["organization.id"], days, known.code)
        code = _filled(code, lambda: _pairs(frame["organization.name"], days, known.code))
        for name in ("host.name", "host.ip"):
            code = _filled(code, lambda name=name: known.of_hosts(_text(frame[name]), days, "unit"))  # type: ignore[misc]
        for name in ("host.ip", "source.ip", "destination.ip"):
            code = _filled(code, lambda name=name: known.of_addresses(_text(frame[name]), days))  # type: ignore[misc]
        code = _filled(code, lambda: known.of_users(frame["user.name"], days, "unit"))
        code = _filled(code, lambda: known.of_source(source, days, "unit"))
        code = _pairs(code, days, known.code)  # an asset's unit may have ended since
        said = pl.select(pl.coalesce(frame["organization.id"], frame["organization.name"])).to_series()
        makers = {
            "organization.id": lambda: code,
            "organization.name": lambda: self._unit(code, days, "name"),
            "soc.organization.said": lambda: said.set((said == code).fill_null(value=False), None),
            "soc.organization.parent": lambda: self._unit(code, days, "parent"),
            "soc.organization.kind": lambda: self._unit(code, days, "kind"),
            "soc.organization.region": lambda: self._unit(code, days, "region"),
        }
        return {name: makers[name]() for name in wanted}

    def _unit(self, code: pl.Series, days: pl.Series, column: str) -> pl.Series:
        def told(one: str, day: date) -> str | None:
            unit = self.organisations.unit(one, day)
            return getattr(unit, column) or None if unit else None

        return _pairs(code, days, told)

    def _asset(
        self, frame: pl.DataFrame, wanted: frozenset[str], source: str, criticality: str
    ) -> dict[str, pl.Series]:
        known, days = self.organisations, self.days(frame)
        found = {}
        for name in wanted:
            column, address = ASSET[name], _text(frame["host.ip"])
            told = known.of_hosts(frame["host.name"], days, column)
            told = _filled(told, lambda column=column, at=address: known.of_hosts(at, days, column))  # type: ignore[misc]
            if column in SYSTEM:
                told = _filled(told, lambda column=column: known.of_source(source, days, SYSTEM[column]))  # type: ignore[misc]
            found[name] = told.fill_null(criticality) if column == "criticality" and criticality else told
        return found

    def _user(self, frame: pl.DataFrame, wanted: frozenset[str]) -> dict[str, pl.Series]:
        days = self.days(frame)
        return {name: self.organisations.of_users(frame["user.name"], days, USER[name]) for name in wanted}

    def _calendar(self, frame: pl.DataFrame, wanted: frozenset[str]) -> dict[str, pl.Series]:
        told = self.workdays.columns(frame["@timestamp"], frame["organization.id"])
        return {name: told[CALENDAR[name]] for name in wanted}

    def days(self, frame: pl.DataFrame) -> pl.Series:
        """Return the local day of each event."""
        return frame["@timestamp"].dt.convert_time_zone(self.workdays.zone.key).dt.date()


def _side(enrichment: Enrichment, side: str) -> Callable[[pl.DataFrame, frozenset[str]], dict[str, pl.Series]]:
    def make(frame: pl.DataFrame, wanted: frozenset[str]) -> dict[str, pl.Series]:
        addresses, found = frame[f"{side}.ip"], {}
        if f"soc.{side}.kind" in wanted:
            found[f"soc.{side}.kind"] = kind(addresses)
        if f"soc.{side}.unit" in wanted:
            days = enrichment.days(frame)
            found[f"soc.{side}.unit"] = enrichment.organisations.of_addresses(addresses, days)
        if f"soc.{side}.lists" in wanted and enrichment.lists:
            found[f"soc.{side}.lists"] = enrichment.lists.of(addresses)
        fields = [name for name in GEO if f"{side}.{name}" in wanted]
        if fields and enrichment.geo:
            told = enrichment.geo.look_up(addresses, fields)
            found |= {f"{side}.{name}": told[name] for name in fields}
        return found

    return make


def _sided(side: str) -> tuple[str, ...]:
    return (*(f"soc.{side}.{name}" for name in ("kind", "unit", "lists")), *(f"{side}.{name}" for name in GEO))


def _agent(frame: pl.DataFrame, wanted: frozenset[str]) -> dict[str, pl.Series]:
    told = agents.agents(frame["user_agent.original"])
    return {name: told[name] for name in wanted}


def _domain(frame: pl.DataFrame, wanted: frozenset[str]) -> dict[str, pl.Series]:
    parts = frame["url.domain"].str.extract_groups(derive.DOMAIN).struct.unnest()
    return {name: parts[name.removeprefix("url.")].replace("", None) for name in wanted}


def _there(events: pl.DataFrame, needs: tuple[str, ...]) -> bool:
    """Say whether events have any of the columns a step needs, the time aside."""
    others = (name for name in needs if name != "@timestamp" and name in events.columns)
    return any(events[name].null_count() < events.height for name in others)


def _with(events: pl.DataFrame, needs: tuple[str, ...]) -> pl.DataFrame:
    missing = [pl.lit(None, ECS.get(name, pl.String())).alias(name) for name in needs if name not in events.columns]
    return events.select(name for name in needs if name in events.columns).with_columns(missing)


def _joined(events: pl.DataFrame, column: pl.Series, *, replaces: bool) -> pl.Series:
    if column.name not in events.columns or events[column.name].null_count() == events.height:
        return column
    own = events[column.name]
    first, second = (column, own) if replaces else (own, column)
    return pl.select(pl.coalesce(first, second)).to_series().alias(column.name)


def _filled(column: pl.Series, more: Callable[[], pl.Series]) -> pl.Series:
    """Fill what is missing, if anything is."""
    found = more() if column.has_nulls() else None
    if found is None or found.null_count() == found.len():
        return column
    return pl.select(pl.coalesce(column, found)).to_series()


def _text(column: pl.Series) -> pl.Series:
    return column.list.first() if column.dtype == pl.List else column


def _pairs(texts: pl.Series, days: pl.Series, find: Callable[[str, date], str | None]) -> pl.Series:
    return looked_up_pairs(texts, days, find, pl.String)


MAKES: Final = frozenset(name for step in Enrichment().steps() for name in step.makes)


def makes(have: Wanted) -> frozenset[str]:
    """Return the columns that events with these ones may get."""
    found = frozenset(have)
    for step in Enrichment().steps():
        if step.always or found.intersection(step.needs).difference({"@timestamp"}):
            found |= frozenset(step.makes)
    return found
