"""Whose event it is: by the code or name that it tells, its machine, its addresses, its account; as of its time.

A unit that had ended by then stands for what it became. A code that nobody registered stands for the nearest one above
it (`H21.65.3` → `H21.65` → `H21`), so codes of districts and of abolished communes lead somewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Final, TypeVar

import polars as pl

from connectors.enrichment.distinct import looked_up_pairs, nothing
from connectors.enrichment.prefixes import Prefixes
from connectors.registry import Registry
from connectors.registry.models import Asset, Row, System, Unit, User

OLD: Final = re.compile(r"^(?:\d{2,4}\.)+[A-Z]\d{2}$")  # 000.00.65.H21, as QCVN 102:2016 wrote H21.65
FILLER: Final = re.compile(r"^0+$")
KINDS: Final = re.compile(r"^(?:ubnd|ủy ban nhân dân|uỷ ban nhân dân)\s+")
TAIL: Final = re.compile(r"\s*[-,]\s*(?:tỉnh\s+)?gia lai$")
BEGINNING: Final = date.min
Value = TypeVar("Value")


class Organisations:
    """The registry, ready to be asked. Days are local ones."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._units: dict[str, list[Unit]] = {}
        for unit in registry.units:
            self._units.setdefault(unit.code, []).append(unit)
        self._eras = sorted({BEGINNING, *_turns(registry.networks)})
        self._prefixes: dict[date, tuple[Prefixes, list[str]]] = {}

    def unit(self, code: str, day: date) -> Unit | None:
        """Return the unit that a code stands for on a day: itself, its successor, or the nearest above it."""
        seen: set[str] = set()
        at: str | None = canonical(code)
        while at:
            rows = self._units.get(at, ())
            now = next((row for row in rows if row.holds(day)), None)
            if now is not None:
                return now
            after = next((row for row in rows if row.becomes and row.until and row.until < day), None)
            before = next((row for row in rows if row.since and day < row.since), None)
            if after is None and before is not None:
                return before  # named ahead of its time: nobody else is meant
            if at in seen:
                return None
            seen.add(at)
            at = after.becomes if after is not None else at.rpartition(".")[0]
        return None

    def code(self, text: str, day: date) -> str | None:
        """Return the code that a code or a name means on a day."""
        found = self.unit(text, day)
        if found is None:
            rows = self._names.get(name_key(text), ())
            row = next((row for row in rows if row.holds(day)), rows[0] if rows else None)
            found = self.unit(row.code, day) if row is not None else None
        return found.code if found is not None else None

    def of_addresses(self, addresses: pl.Series, days: pl.Series) -> pl.Series:
        """Return the codes of the units whose networks hold the addresses on these days; the narrowest counts."""
        result = nothing(addresses.len(), pl.String)
        if not self.registry.networks or addresses.null_count() == addresses.len():
            return result
        for begin, end in zip(self._eras, [*self._eras[1:], None], strict=True):
            prefixes, codes = self._of_era(begin)
            if not codes:
                continue
            inside = (days >= begin) & (days < end if end is not None else True)
            numbers = prefixes.look_up(addresses.set(~inside.fill_null(value=False), None))
            found = pl.Series(codes, dtype=pl.String).gather(numbers)
            result = result.zip_with(found.is_null(), found)
        return result

    def of_hosts(self, hosts: pl.Series, days: pl.Series, column: str) -> pl.Series:
        """Return a column of the assets that the hosts (names or addresses) are on these days."""
        if not self._assets:
            return nothing(hosts.len(), pl.String)
        return looked_up_pairs(hosts, days, lambda host, day: self._asset(host, day, column), pl.String)

    def of_users(self, users: pl.Series, days: pl.Series, column: str) -> pl.Series:
        """Return `unit`, `kind` or `status` (active, ended, ahead) of accounts on these days."""
        if not self._users:
            return nothing(users.len(), pl.String)
        return looked_up_pairs(users, days, lambda user, day: self._user(user, day, column), pl.String)

    def of_source(self, source: str, days: pl.Series, column: str) -> pl.Series:
        """Return `id`, `unit` or `criticality` of the one system that has this source of logs on these days."""
        systems = [row for row in self.registry.systems if source in row.sources]
        if not systems:
            return nothing(days.len(), pl.String)

        def told(_: str, day: date) -> str | None:
            there = [row for row in systems if row.holds(day)]
            return getattr(there[0], column) if len(there) == 1 else None

        return looked_up_pairs(pl.repeat(source, days.len(), eager=True), days, told, pl.String)

    def _of_era(self, begin: date) -> tuple[Prefixes, list[str]]:
        if begin not in self._prefixes:
            rows = [row for row in self.registry.networks if row.holds(begin)]
            self._prefixes[begin] = Prefixes.of(row.network for row in rows), [row.unit for row in rows]
        return self._prefixes[begin]

    def _asset(self, host: str, day: date, column: str) -> str | None:
        key = host.lower()
        rows = self._assets.get(key) or self._assets.get(key.partition(".")[0] if not key[:1].isdigit() else key) or []
        row = next((row for row in rows if row.holds(day)), None)
        if row is None:
            return None
        system = next((one for one in self._systems.get(row.system, ()) if one.holds(day)), None)
        if column in {"unit", "criticality"}:
            return getattr(row, column) or (getattr(system, column) if system else None)
        return getattr(row, column) or None

    def _user(self, name: str, day: date, column: str) -> str | None:
        key = name.lower()
        rows = self._users.get(key) or self._users.get(key.rpartition("\\")[2].partition("@")[0]) or []
        row = next((row for row in rows if row.holds(day)), None)
        if column == "status":
            ahead = any(one.since and day < one.since for one in rows)
            return None if not rows else "active" if row else "ahead" if ahead else "ended"
        row = row or (rows[-1] if rows else None)
        return getattr(row, column, None)

    @cached_property
    def _systems(self) -> dict[str, list[System]]:
        return _keyed((row.id, row) for row in self.registry.systems)

    @cached_property
    def _assets(self) -> dict[str, list[Asset]]:
        return _keyed(
            (key, row) for row in self.registry.assets for key in [row.host.lower(), *map(str, row.ip)] if key
        )

    @cached_property
    def _users(self) -> dict[str, list[User]]:
        return _keyed((row.name.lower(), row) for row in self.registry.users)

    @cached_property
    def _names(self) -> dict[str, list[Unit]]:
        units = self.registry.units
        spoken = ((unit, (unit.name, f"{unit.kind} {unit.name}", *unit.aliases)) for unit in units)
        pairs = ((key, unit) for unit, names in spoken for key in {name_key(name) for name in names})
        return _keyed((*pairs, *((unit.gso, unit) for unit in units if unit.gso)))


def canonical(code: str) -> str:
    """Return a code in its present form: `000.00.65.H21` is H21.65."""
    text = code.strip().upper()
    if not OLD.match(text):
        return text
    parts = text.split(".")[::-1]
    return ".".join([parts[0], *(part for part in parts[1:] if not FILLER.match(part))])


def name_key(name: str) -> str:
    """Return what spellings of a name share: letters in NFC and lower case, without `UBND` and the province."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name)).strip().lower()
    return TAIL.sub("", KINDS.sub("", text))


def _turns(rows: Iterable[Row]) -> Iterator[date]:
    """Yield the days from which on another set of rows holds."""
    for row in rows:
        if row.since:
            yield row.since
        if row.until and row.until < date.max:
            yield date.fromordinal(row.until.toordinal() + 1)


def _keyed(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
