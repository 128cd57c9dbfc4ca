"""What findings of the embedded store come to, summed up there: no document is read for it but one per incident.

So a shift with a hundred thousand open findings is planned in little memory. Names of many findings or incidents are
given as one list in JSON, as SQLite bounds the number of parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from connectors.store import Store
from connectors.store_rows import EPOCH

_RISKY: Final = """
WITH risky AS MATERIALIZED (SELECT e.finding, max(r.risk) AS risk FROM risks r
    JOIN entities e ON e.kind = CASE r.kind WHEN 'address' THEN 'ip' ELSE r.kind END AND e.value = r.name
    WHERE r.time = (SELECT max(time) FROM risks) AND r.kind IN ('host', 'user', 'address') GROUP BY e.finding)
"""
_OPEN: Final = """
FROM listed f LEFT JOIN states s ON s.finding = f.id
WHERE coalesce(s.status, 'new') <> 'closed' AND NOT EXISTS (SELECT 1 FROM members m WHERE m.finding = f.id)
GROUP BY f.rule, f.organisation, f.level
"""
# Beside a single min() SQLite gives the other columns of the row that has it.
_GROUPS: Final = f"""
SELECT f.rule, f.organisation, f.level, f.id, f.name, f.title_vi, count(*), min(coalesce(f.time, 9e18)), f.time {_OPEN}
"""
_GROUP_RISKS: Final = f"""
{_RISKY} SELECT f.rule, f.organisation, f.level, max(y.risk)
{_OPEN.replace("WHERE", "JOIN risky y ON y.finding = f.id WHERE", 1)}
"""
_CASE_RISKS: Final = f"""
{_RISKY} SELECT m.incident, max(y.risk) FROM members m JOIN risky y ON y.finding = m.finding
WHERE m.incident IN (SELECT value FROM json_each(?)) GROUP BY 1
"""  # noqa: S608 - made of this module's own words
_HEADLINES: Final = """
WITH placed AS (SELECT m.incident, f.id, f.rule, f.name, f.title_vi,
        row_number() OVER (PARTITION BY m.incident ORDER BY f.level DESC, f.time, f.id) AS place
    FROM members m JOIN listed f ON f.id = m.finding WHERE m.incident IN (SELECT value FROM json_each(?)))
SELECT p.incident, p.rule, p.name, p.title_vi, coalesce(d.document ->> '$."host.name"[0]',
    d.document ->> '$."user.name"[0]', d.document ->> '$."source.ip"[0]')
FROM placed p JOIN findings d ON d.id = p.id WHERE p.place = 1
"""
# A finding may be of several organisations, as its document tells; those of the first of an incident are read.
_ORGANISATIONS: Final = """
WITH placed AS MATERIALIZED (SELECT m.incident, f.id, f.organisation,
        row_number() OVER (PARTITION BY m.incident ORDER BY f.time, f.id) AS place
    FROM members m JOIN listed f ON f.id = m.finding WHERE m.incident IN (SELECT value FROM json_each(?)))
SELECT incident, organisation FROM placed WHERE organisation <> '' UNION
SELECT p.incident, o.value FROM placed p JOIN findings d ON d.id = p.id, json_each(d.document, '$."organization.id"') o
WHERE p.place <= 20 AND o.type = 'text' ORDER BY 1, 2
"""
_TITLES: Final = """
SELECT name, max(title_vi) FROM listed
WHERE name IN (SELECT value FROM json_each(?)) AND title_vi IS NOT NULL GROUP BY name
"""
# The newest finding of each tells its name, unless it is of several, whose names stand in an order of their own.
_NAMES: Final = """
WITH newest AS MATERIALIZED (SELECT organisation, id, max(coalesce(time, 0)) FROM listed
    WHERE organisation IN (SELECT value FROM json_each(?)) GROUP BY organisation)
SELECT n.organisation, d.document ->> '$."organization.name"[0]' FROM newest n JOIN findings d ON d.id = n.id
WHERE json_array_length(d.document, '$."organization.id"') = 1
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Open findings of one rule, organisation and level that are in no incident."""

    first: str  # the oldest of them
    rule: str | None
    name: str | None
    title_vi: str | None
    organisation: str | None
    level: int  # its rank; -1: of another name
    count: int
    since: datetime | None
    risk: float  # the highest of whom they name, 0 if none is known


@dataclass(frozen=True, slots=True)
class Headline:
    """What the most severe finding of an incident, the first of several, is called, and whom it names first."""

    rule: str | None
    name: str | None
    title_vi: str | None
    where: str | None


class Sums:
    """Sums of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_groups(self) -> list[Group]:
        """Return the open findings that are in no incident, in groups."""
        risks = {tuple(key): risk for *key, risk in self._store.query(_GROUP_RISKS, ())}
        found = []
        for rule, organisation, level, first, name, vi, count, _, time in self._store.query(_GROUPS, ()):
            risk = risks.get((rule, organisation, level), 0.0)
            found.append(Group(first, rule, name, vi, organisation, level, count, _time(time), risk))
        return found

    def risks(self, incidents: Iterable[str]) -> dict[str, float]:
        """Return the highest risk of whom incidents name, where one is known."""
        return dict(self._store.query(_CASE_RISKS, (_listed(incidents),)))

    def headlines(self, incidents: Iterable[str]) -> dict[str, Headline]:
        """Return the headlines of incidents."""
        return {name: Headline(*rest) for name, *rest in self._store.query(_HEADLINES, (_listed(incidents),))}

    def titles(self, names: Iterable[str]) -> dict[str, str]:
        """Return what rules are called in Vietnamese, by their English names, where they have such a name."""
        return dict(self._store.query(_TITLES, (_listed(names),)))

    def named(self, organisations: Iterable[str]) -> dict[str, str]:
        """Return what organisations are called, by their codes, as findings of theirs alone say."""
        return {code: name for code, name in self._store.query(_NAMES, (_listed(organisations),)) if name}

    def organisations(self, incidents: Iterable[str]) -> dict[str, list[str]]:
        """Return the organisations of incidents, in order of their names."""
        found: dict[str, list[str]] = {}
        for name, organisation in self._store.query(_ORGANISATIONS, (_listed(incidents),)):
            found.setdefault(name, []).append(organisation)
        return found


def _listed(names: Iterable[str]) -> str:
    return orjson.dumps(list(names)).decode()


def _time(value: int | None) -> datetime | None:
    """Return a time; None also for those that logs claim beyond the years that a calendar has."""
    return None if value is None or not 0 <= value < 253_370_764_800_000_000 else EPOCH + timedelta(microseconds=value)
