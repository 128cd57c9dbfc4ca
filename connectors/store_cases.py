"""What findings add up to, in the embedded store: entities at risk, incidents, and verdicts that came from Kibana.

Like triage of findings it is only appended to: an incident never loses a finding, a verdict never changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from connectors.store import Store, Triage
from connectors.store_rows import EPOCH, micros
from detectors.errors import UsageError
from detectors.schema import RISK

KEPT: Final = 400  # reckonings of risk that are kept

_LIST: Final = """
SELECT i.id, i.opened, i.follows,
    (SELECT count(*) FROM members m WHERE m.incident = i.id),
    (SELECT max(f.level) FROM members m JOIN findings f ON f.id = m.finding WHERE m.incident = i.id),
    coalesce((SELECT status FROM incident_triage t WHERE t.incident = i.id AND status IS NOT NULL
              ORDER BY number DESC LIMIT 1), 'new'),
    (SELECT owner FROM incident_triage t WHERE t.incident = i.id AND owner IS NOT NULL ORDER BY number DESC LIMIT 1),
    (SELECT min(f.time) FROM members m JOIN findings f ON f.id = m.finding WHERE m.incident = i.id),
    (SELECT max(f.time) FROM members m JOIN findings f ON f.id = m.finding WHERE m.incident = i.id)
FROM incidents i WHERE (:id IS NULL OR i.id = :id) AND (:closed IS NULL OR :closed =
    (coalesce((SELECT status FROM incident_triage t WHERE t.incident = i.id AND status IS NOT NULL
               ORDER BY number DESC LIMIT 1), '') = 'closed'))
ORDER BY 5 DESC, 9 DESC, i.id LIMIT :limit OFFSET :offset
"""
_COUNT: Final = """
SELECT coalesce((SELECT status FROM incident_triage t WHERE t.incident = i.id AND status IS NOT NULL
                 ORDER BY number DESC LIMIT 1), '') = 'closed', count(*) FROM incidents i GROUP BY 1
"""
_FINDINGS: Final = (
    "SELECT f.id FROM members m JOIN findings f ON f.id = m.finding WHERE m.incident = ? ORDER BY f.time, f.id"
)
_SAY: Final = "INSERT INTO incident_triage (incident, time, actor, status, owner, note, reason) VALUES (?,?,?,?,?,?,?)"

# A verdict may come before the finding that it is about, which it decides as soon as that is there.
_DECIDED: Final = """
INSERT INTO triage (finding, time, actor, status, owner, note, reason)
SELECT v.finding, v.time, :actor, v.status, NULL, NULL, v.reason FROM verdicts v JOIN findings f ON f.id = v.finding
WHERE NOT EXISTS (SELECT 1 FROM triage t WHERE t.finding = v.finding AND t.time = v.time AND t.actor = :actor)
ORDER BY v.time
"""
_DECISIONS: Final = """
SELECT finding, max(time), status, reason FROM (
    SELECT finding, time, status, reason FROM states UNION ALL SELECT finding, time, status, reason FROM verdicts)
GROUP BY finding ORDER BY finding
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as a list shows it; `level` is the rank of its most severe finding."""

    id: str
    opened: datetime | None
    follows: str | None
    findings: int
    level: int
    status: str
    owner: str | None
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Kibana's alert of a finding said at a time; `alert` is the alert's id."""

    finding: str
    alert: str
    time: datetime
    status: str  # one of Status
    reason: str | None
    tags: tuple[str, ...]


class Cases:
    """Risk, incidents and verdicts of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Risk

    def reckoned(self, risks: pl.DataFrame, now: datetime) -> None:
        """Keep a reckoning (RISK); the same time again replaces nothing."""
        at = micros(now)
        rows = (
            (at, row["kind"], row["name"], row["risk"], orjson.dumps(row).decode())
            for row in risks.iter_rows(named=True)
        )
        with self._store.transaction() as db:
            db.executemany("INSERT INTO risks VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING", rows)
            db.execute(
                "DELETE FROM risks WHERE time NOT IN (SELECT DISTINCT time FROM risks ORDER BY time DESC LIMIT ?)",
                (KEPT,),
            )

    def risks(self, kind: str | None = None, limit: int = 100) -> tuple[datetime | None, pl.DataFrame]:
        """Return when risk was reckoned last, and what came of it (RISK), the highest first."""
        rows = self._store.query(
            "SELECT document, time FROM risks WHERE time = (SELECT max(time) FROM risks)"
            " AND (:kind IS NULL OR kind = :kind) ORDER BY risk DESC, kind, name LIMIT :limit",
            {"kind": kind, "limit": limit},
        )
        frame = pl.DataFrame([orjson.loads(row[0]) for row in rows], schema=RISK, orient="row")
        return _time(rows[0][1]) if rows else None, frame

    def course(self, kind: str, name: str) -> list[tuple[datetime, float]]:
        """Return the risk of an entity at each reckoning, oldest first."""
        rows = self._store.query("SELECT time, risk FROM risks WHERE kind = ? AND name = ? ORDER BY time", (kind, name))
        return [(EPOCH + timedelta(microseconds=time), risk) for time, risk in rows]

    # Incidents

    def open(self, incident: str, opened: datetime | None, follows: str | None, findings: Sequence[str]) -> None:
        """Enter an incident, or findings that are new in it."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO incidents VALUES (?,?,?) ON CONFLICT DO NOTHING", (incident, micros(opened), follows)
            )
            rows = ((finding, incident) for finding in findings)
            db.executemany("INSERT INTO members VALUES (?,?) ON CONFLICT DO NOTHING", rows)

    def members(self) -> dict[str, str]:
        """Return the incident of each finding that is in one."""
        return dict(self._store.query("SELECT finding, incident FROM members", ()))

    def all(self, limit: int = 1000, offset: int = 0, *, closed: bool | None = None) -> list[Case]:
        """Return incidents, the most severe and the latest first: those that are closed, or not, or all."""
        asked = {"id": None, "closed": closed, "limit": limit, "offset": offset}
        return [_case(row) for row in self._store.query(_LIST, asked)]

    def count(self) -> dict[bool, int]:
        """Return how many incidents are closed, and how many are not."""
        found = {True: 0, False: 0} | dict(self._store.query(_COUNT, ()))
        return {bool(closed): count for closed, count in found.items()}

    def one(self, incident: str) -> Case:
        rows = self._store.query(_LIST, {"id": incident, "closed": None, "limit": 1, "offset": 0})
        if not rows:
            raise UsageError(f"there is no incident {incident!r}", fix="list them: soc incident list")
        return _case(rows[0])

    def findings(self, incident: str) -> list[str]:
        """Return the findings of an incident, oldest first."""
        return [finding for (finding,) in self._store.query(_FINDINGS, (incident,))]

    def of(self, finding: str) -> str | None:
        """Return the incident of a finding, if it is in one."""
        rows = self._store.query("SELECT incident FROM members WHERE finding = ?", (finding,))
        return rows[0][0] if rows else None

    def successors(self, incident: str) -> list[str]:
        return [
            each for (each,) in self._store.query("SELECT id FROM incidents WHERE follows = ? ORDER BY id", (incident,))
        ]

    def closed(self) -> set[str]:
        """Return the incidents that are closed."""
        return {case.id for case in self.all(limit=1_000_000, closed=True)}

    def decide(self, entry: Triage) -> None:
        """Append a decision to an incident's history; `entry.finding` is the incident."""
        row = (entry.finding, micros(entry.time), entry.actor, entry.status, entry.owner, entry.note, entry.reason)
        try:
            with self._store.transaction() as db:
                db.execute(_SAY, row)
        except sqlite3.IntegrityError as fault:
            raise UsageError(f"there is no incident {entry.finding}", fix="list them: soc incident list") from fault

    def history(self, incident: str) -> list[Triage]:
        """Return every decision about an incident, oldest first."""
        rows = self._store.query(
            "SELECT incident, time, actor, status, owner, note, reason FROM incident_triage WHERE incident = ?"
            " ORDER BY number",
            (incident,),
        )
        return [Triage(name, EPOCH + timedelta(microseconds=time), *rest) for name, time, *rest in rows]

    def said(self, since: datetime, until: datetime, limit: int = 1000) -> list[Triage]:
        """Return the decisions of a period about any incident, the latest first."""
        rows = self._store.query(
            "SELECT incident, time, actor, status, owner, note, reason FROM incident_triage"
            " WHERE time >= ? AND time < ? ORDER BY number DESC LIMIT ?",
            (micros(since), micros(until), limit),
        )
        return [Triage(name, EPOCH + timedelta(microseconds=time), *rest) for name, time, *rest in rows]

    # Notices

    def tell(self, told: Iterable[tuple[str, bool]], now: datetime) -> None:
        """Enter of which incidents people were told, and whether as resolved."""
        with self._store.transaction() as db:
            db.executemany("INSERT INTO notices VALUES (?,?,?)", ((one, micros(now), over) for one, over in told))

    def told(self) -> list[tuple[str, int, datetime, bool]]:
        """Return per incident how often people were told, when last, and whether as resolved."""
        rows = self._store.query("SELECT incident, count(*), max(time), max(resolved) FROM notices GROUP BY 1", ())
        return [(name, times, EPOCH + timedelta(microseconds=last), bool(over)) for name, times, last, over in rows]

    # Verdicts

    def verdicts(self, found: Iterable[Verdict], actor: str) -> int:
        """Keep verdicts, and decide the findings of the store accordingly; return how many were new."""
        rows = [
            (one.alert, micros(one.time), one.finding, one.status, one.reason, orjson.dumps(one.tags).decode())
            for one in found
        ]
        with self._store.transaction() as db:
            before = db.total_changes
            db.executemany("INSERT INTO verdicts VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)
            new = db.total_changes - before
            db.execute(_DECIDED, {"actor": actor})
        return new

    def last_verdict(self) -> datetime | None:
        """Return the time of the newest verdict."""
        return _time(self._store.query("SELECT max(time) FROM verdicts", ())[0][0])

    def decisions(self) -> list[tuple[str, datetime, str, str | None]]:
        """Return the last word about each finding, here or in Kibana: finding, time, status, reason."""
        rows = self._store.query(_DECISIONS, ())
        return [(finding, EPOCH + timedelta(microseconds=time), *rest) for finding, time, *rest in rows]


def _case(row: tuple[Any, ...]) -> Case:
    name, opened, follows, findings, level, status, owner, first, last = row
    rank = -1 if level is None else level
    return Case(name, _time(opened), follows, findings, rank, status, owner or None, _time(first), _time(last))


def _time(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)
