"""The embedded store: one SQLite file that holds findings, matches, dead letters, coverage and triage.

A document is written once and never changed; what people decide about it is appended beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from connectors.store_file import StoreFile
from connectors.store_rows import EPOCH, Row, documents, entities, instants, micros, named, organisations, stored
from connectors.store_schema import (
    BROUGHT,
    INSERT_ENTITIES,
    INSERT_LISTED,
    INSERT_TRIAGE,
    SELECT_COVERAGE,
    SELECT_FIRST,
    SELECT_MATCHES,
    SELECT_MUTED,
    SELECT_REASONS,
    SELECT_SUCCESSORS,
    SELECT_TAKEN,
    TAKEN,
)
from connectors.store_wanted import (
    CHOICES,
    COUNTS,
    DOCUMENTS,
    IDS,
    ONE,
    ORGANISATIONS,
    SOME,
    SPAN,
    TIMELINE,
    Order,
    Status,
    Wanted,
    listing,
    step,
)
from detectors.contracts import Written
from detectors.errors import UsageError
from detectors.identity import event_id
from detectors.schema import DEAD, LEVELS, MATCH, MUTED, TIME

TOGETHER: Final = 1_000  # findings whose documents are in memory at once


@dataclass(frozen=True, slots=True)
class Triage:
    """One decision about a finding; None leaves what was decided before."""

    finding: str
    time: datetime
    actor: str
    status: Status | None = None
    owner: str | None = None
    note: str | None = None
    reason: str | None = None  # one of REASONS


class Store(StoreFile):
    """A Sink on one SQLite file, and the questions that triage and reports ask of it."""

    # Writing: the Sink

    def findings(self, frame: pl.DataFrame) -> Written:
        kept, refused = named(frame, "event.id")
        ranks = [LEVELS.index(level) if level in LEVELS else -1 for level in kept["soc.level"]]
        names = ("event.id", "rule.id", "rule.name", "soc.group", "soc.source", "soc.title.vi")
        ids, rule, name, group, source, title = (kept[each].to_list() for each in names)
        times = instants(kept, "@timestamp")
        rows = zip(ids, times, ranks, rule, name, group, source, documents(kept), strict=True)
        listed = zip(ids, times, ranks, rule, source, organisations(kept), name, title, group, strict=True)
        with self.transaction() as db:
            db.executemany(INSERT_ENTITIES, entities(kept.unique("event.id", keep="first")))
            written = _insert(db, "INSERT INTO findings VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)
            db.executemany(INSERT_LISTED, listed)
        return Written(written.created, written.known, refused)

    def matches(self, frame: pl.DataFrame) -> Written:
        kept, refused = named(frame.sort("soc.match.id"), "soc.match.id")  # rows in order go in faster
        plain = (kept[name].to_list() for name in ("rule.id", "soc.finding.id", "soc.source", "soc.group"))
        silenced = kept["soc.silenced"].to_list()
        events = (orjson.dumps(ids).decode() for ids in kept["event.id"].to_list())
        rows = zip(kept["soc.match.id"].to_list(), instants(kept, "@timestamp"), *plain, events, silenced, strict=True)
        with self.transaction() as db:
            written = _insert(db, "INSERT INTO matches VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)
        return Written(written.created, written.known, refused)

    def suppressed(self, frame: pl.DataFrame) -> Written:
        """Keep what exceptions took (SUPPRESSED)."""
        names = ("soc.exception.id", "soc.exception.title", "soc.match.id", "rule.id", "rule.name", "soc.level")
        plain = (frame[name].to_list() for name in (*names, "soc.source", "soc.group", "soc.finding.id"))
        events = (orjson.dumps(ids).decode() for ids in frame["event.id"].to_list())
        ids, times = frame["soc.suppressed.id"].to_list(), instants(frame, "@timestamp")
        rows = zip(ids, times, *plain, events, strict=True)
        with self.transaction() as db:
            return _insert(db, "INSERT INTO suppressed VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)

    def dead(self, frame: pl.DataFrame) -> Written:
        """Keep letters under the name their event would have had, so a replay adds none."""
        rows = []
        for source, origin, offset, index, raw, reason in frame.select(
            "soc.source", "soc.origin", "log.offset", "soc.index", "event.original", "error.message"
        ).iter_rows():
            position = (-1 if offset is None else offset, -1 if index is None else index)
            letter = event_id(source or "", origin or "", *position, raw or "")
            rows.append((letter, source, origin, offset, index, raw, reason))
        with self.transaction() as db:
            return _insert(db, "INSERT INTO dead VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)

    def revive(self, source: str, frame: pl.DataFrame) -> None:
        """Take letters away that are events now: those of records (RECORD and `soc.origin`) of a source."""
        rows = frame.select("soc.origin", "log.offset", "soc.index", "event.original").iter_rows()
        with self.transaction() as db:
            db.executemany("DELETE FROM dead WHERE id = ?", ((event_id(source, *row),) for row in rows))

    def cover(self, frame: pl.DataFrame) -> Written:
        """Enter what each batch brought, hour by hour (COVERAGE); a batch entered again changes nothing."""
        counts = frame.drop_nulls("soc.batch")
        hours = (0 if hour is None else hour for hour in instants(counts, "@timestamp"))
        names = ("soc.events", "soc.late", "soc.failures", "soc.matches")
        whose = counts["organization.id"].fill_null("").to_list()
        plain = (counts[name].to_list() for name in ("soc.batch", *names))
        rows = zip(counts["soc.source"].to_list(), hours, whose, *plain, strict=True)
        with self.transaction() as db:
            return _insert(db, "INSERT INTO coverage VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", rows)

    def decide(self, *entries: Triage) -> None:
        """Append decisions to the histories of findings: all of them, or none."""
        rows = [
            (one.finding, micros(one.time), one.actor, one.status, one.owner, one.note, one.reason) for one in entries
        ]
        try:
            with self.transaction() as db:
                db.executemany(INSERT_TRIAGE, rows)
        except sqlite3.IntegrityError as fault:
            named = ", ".join(dict.fromkeys(one.finding for one in entries))
            if "FOREIGN KEY" not in str(fault):
                given = f"the status {entries[0].status!r} and the reason {entries[0].reason!r}"
                raise UsageError(f"a finding can't be given {given}") from fault
            raise UsageError(f"there is no finding {named}", fix="list them: soc findings list") from fault

    # Reading

    def select(
        self, wanted: Wanted | None = None, *, order: Order = "newest", limit: int = 1000, offset: int = 0
    ) -> pl.DataFrame:
        """Return findings (FINDING), newest or most severe first, with `soc.matches` and what was decided last."""
        asked = (wanted or Wanted()).asked() | {"limit": limit, "offset": offset}
        return self._rows(self.query(listing(order), asked))

    def columns(self, wanted: Wanted, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield these columns of all findings that are wanted, the newest first, so many at a time as memory bears."""
        for some in self._ids(wanted):
            yield stored([text for (text,) in self.query(DOCUMENTS, (some,))], names)
        self.query("PRAGMA shrink_memory", ())  # the pages of so many documents are of no more use

    def pages(self, wanted: Wanted | None = None) -> Iterator[pl.DataFrame]:
        """Yield what `select` returns, of all findings that are wanted, so many at a time as memory bears."""
        for some in self._ids(wanted or Wanted()):
            yield self._rows(self.query(SOME, (some,)))
        self.query("PRAGMA shrink_memory", ())  # the pages of so many documents are of no more use

    def some(self, findings: Sequence[str]) -> pl.DataFrame:
        """Return what `select` returns, of these findings."""
        return self._rows(self.query(SOME, (orjson.dumps(findings).decode(),)))

    def _ids(self, wanted: Wanted) -> Iterator[str]:
        """Yield the ids of findings, the newest first, as lists in JSON."""
        ids = [name for (name,) in self.query(IDS, wanted.asked())]
        for begin in range(0, len(ids), TOGETHER):
            yield orjson.dumps(ids[begin : begin + TOGETHER]).decode()

    @staticmethod
    def _rows(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
        names = ("soc.triage.status", "soc.triage.owner", "soc.triage.reason")
        beside = {"soc.matches": pl.Int64, **dict.fromkeys(names, pl.String)}
        counts = pl.DataFrame([row[1:] for row in rows], schema=beside, orient="row")
        return stored([row[0] for row in rows]).hstack(counts)

    def tally(self, wanted: Wanted) -> dict[tuple[str, str], int]:
        """Return how many findings there are by level ("unknown": of another name) and status."""
        rows = self.query(COUNTS, wanted.asked())
        return {(LEVELS[level] if level >= 0 else "unknown", status): count for level, status, count in rows}

    def timeline(self, wanted: Wanted) -> tuple[timedelta, list[tuple[datetime, str, int]]]:
        """Return findings by stretch of time and level: the length of a stretch, then (begin, level, count)."""
        ((first, last),) = self.query(SPAN, wanted.asked())
        if first is None:
            return timedelta(), []
        length = step(first, last)
        within = wanted.asked() | {"since": first, "until": last + 1, "step": length}
        return timedelta(microseconds=length), [
            (EPOCH + timedelta(microseconds=number * length), LEVELS[max(level, 0)], count)
            for number, level, count in self.query(TIMELINE, within)
        ]

    def organisations(self, wanted: Wanted) -> set[str]:
        """Return the organisations that findings are of."""
        return {name for (name,) in self.query(ORGANISATIONS, wanted.asked())}

    def choices(self, column: str, limit: int = 200) -> list[tuple[str, int]]:
        """Return the values of `source`, `organisation` or `name` (of the rule), the most frequent first."""
        return [(value, count) for value, count in self.query(CHOICES[column], {"limit": limit})]

    def finding(self, finding: str) -> dict[str, object] | None:
        """Return one finding as it was written, with every column it had then."""
        rows = self.query("SELECT document FROM findings WHERE id = ?", (finding,))
        document: dict[str, object] | None = orjson.loads(rows[0][0]) if rows else None
        return document

    def whole(self, finding: str) -> dict[str, Any] | None:
        """Return one finding as a row of `select`."""
        rows = self._rows(self.query(ONE, (finding,)))
        return rows.row(0, named=True) if rows.height else None

    def successors(self, finding: str) -> list[dict[str, object]]:
        """Return the findings that withdraw one, or tell it again, oldest first."""
        return [orjson.loads(text) for (text,) in self.query(SELECT_SUCCESSORS, (finding, finding))]

    def matches_of(self, *findings: str, limit: int = -1) -> pl.DataFrame:
        """Return the matches under findings (MATCH), in their order, oldest first."""
        rows = self.query(SELECT_MATCHES, (orjson.dumps(findings).decode(), limit))
        records = [
            (*row[:4], None if row[4] is None or row[4] < 0 else LEVELS[row[4]], orjson.loads(row[5]), *row[6:])
            for row in rows
        ]
        return pl.DataFrame(records, schema={**MATCH, "@timestamp": pl.Int64}, orient="row").cast({"@timestamp": TIME})

    def letters(self, limit: int = 1000) -> pl.DataFrame:
        """Return dead letters (DEAD) by source and position."""
        rows = self.query(
            "SELECT raw, position, place, source, origin, reason FROM dead"
            " ORDER BY source, origin, position, place, id LIMIT ?",
            (limit,),
        )
        return pl.DataFrame(rows, schema=DEAD, orient="row")

    def history(self, finding: str) -> list[Triage]:
        """Return every decision about a finding, oldest first."""
        rows = self.query(
            "SELECT finding, time, actor, status, owner, note, reason FROM triage WHERE finding = ? ORDER BY number",
            (finding,),
        )
        return [Triage(name, EPOCH + timedelta(microseconds=time), *rest) for name, time, *rest in rows]

    def said(self, since: datetime, until: datetime, limit: int = 1000) -> list[Triage]:
        """Return the decisions of a period about any finding, the latest first."""
        rows = self.query(
            "SELECT finding, time, actor, status, owner, note, reason FROM triage WHERE time >= ? AND time < ?"
            " ORDER BY number DESC LIMIT ?",
            (micros(since), micros(until), limit),
        )
        return [Triage(name, EPOCH + timedelta(microseconds=time), *rest) for name, time, *rest in rows]

    def reasons(self) -> dict[str, str]:
        """Return for what reason findings were closed, by their ids; the latest word counts."""
        return dict(self.query(SELECT_REASONS, ()))

    def taken(
        self, exception: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> pl.DataFrame:
        """Return how much each exception took of each rule, and when first and last (TAKEN)."""
        asked = {"exception": exception, "since": micros(since), "until": micros(until)}
        rows = self.query(SELECT_TAKEN, asked)
        schema = {name: pl.Int64 if kind == TIME else kind for name, kind in TAKEN.items()}
        return pl.DataFrame(rows, schema=schema, orient="row").cast({"first": TIME, "last": TIME})

    def muted(self, since: datetime, until: datetime) -> pl.DataFrame:
        """Return matches that make no finding (MUTED), those of a rule and a group on one day (UTC) as one."""
        rows = self.query(SELECT_MUTED, (micros(since), micros(until)))
        return pl.DataFrame(rows, schema={**MUTED, "@timestamp": pl.Int64}, orient="row").cast(MUTED)

    def first(self) -> datetime | None:
        """Return the time of the first event that any rule matched, exceptions or not."""
        ((time,),) = self.query(SELECT_FIRST, ())
        return None if time is None else EPOCH + timedelta(microseconds=time)

    def coverage(
        self, since: datetime | None = None, until: datetime | None = None, organisation: str | None = None
    ) -> pl.DataFrame:
        """Return what came in (BROUGHT), per source and hour."""
        asked = {"since": micros(since), "until": micros(until), "organisation": organisation}
        rows = self.query(SELECT_COVERAGE, asked)
        schema = {name: pl.Int64 if kind == TIME else kind for name, kind in BROUGHT.items()}
        return pl.DataFrame(rows, schema=schema, orient="row").cast({"soc.hour": TIME})

    def counts(self) -> dict[str, int]:
        """Return how many findings, matches, matches that exceptions took, dead letters and decisions are kept."""
        rows = self.query(
            "SELECT 'findings', count(*) FROM findings UNION ALL SELECT 'matches', count(*) FROM matches"
            " UNION ALL SELECT 'suppressed', count(DISTINCT match) FROM suppressed"
            " UNION ALL SELECT 'dead', count(*) FROM dead UNION ALL SELECT 'triage', count(*) FROM triage",
            (),
        )
        return dict(rows)


def _insert(db: sqlite3.Connection, statement: str, rows: Iterable[Row]) -> Written:
    before, given = db.total_changes, [*rows]
    db.executemany(statement, given)
    created = db.total_changes - before
    return Written(created, len(given) - created)
