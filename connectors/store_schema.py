"""The tables of the embedded store, and the long questions asked of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from detectors.schema import TIME

# What a source brought in an hour.
BROUGHT = pl.Schema(
    [
        ("soc.source", pl.String),
        ("soc.hour", TIME),
        ("soc.events", pl.Int64),
        ("soc.late", pl.Int64),
        ("soc.failures", pl.Int64),
        ("soc.matches", pl.Int64),
    ]
)

# Why a finding is closed: whether it was right, and else the words Kibana has (`workflow_reason`).
REASONS: Final = (
    "true_positive",
    "false_positive",
    "issue_resolved",
    "acceptable_risk",
    "expected_activity",
    "low_severity",
    "duplicate",
    "investigation_required",
)
REAL: Final = ("true_positive", "issue_resolved")  # something was there; Kibana has no other word for the first

# What exceptions took, by exception and rule.
TAKEN = pl.Schema(
    [
        ("soc.exception.id", pl.String),
        ("soc.exception.title", pl.String),
        ("rule.id", pl.String),
        ("rule.name", pl.String),
        ("soc.level", pl.String),
        ("matches", pl.Int64),
        ("first", TIME),
        ("last", TIME),
    ]
)

# Times are microseconds since 1970 in UTC. A match may be written before its finding, so nothing refers to findings
# but triage, which decides about a finding that is there.
_FIRST: Final = (
    """CREATE TABLE findings (
        id TEXT PRIMARY KEY NOT NULL, time INTEGER, level INTEGER NOT NULL, rule TEXT, name TEXT, groupkey TEXT,
        source TEXT, document TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX findings_time ON findings (time)",
    """CREATE TABLE entities (
        finding TEXT NOT NULL REFERENCES findings (id) DEFERRABLE INITIALLY DEFERRED,
        kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, value, finding)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE matches (
        id TEXT PRIMARY KEY NOT NULL, time INTEGER, rule TEXT, finding TEXT, source TEXT, groupkey TEXT,
        events TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX matches_finding ON matches (finding)",
    "CREATE INDEX matches_rule_time ON matches (rule, time)",
    """CREATE TABLE dead (
        id TEXT PRIMARY KEY NOT NULL, source TEXT, origin TEXT, position INTEGER, place INTEGER, raw TEXT,
        reason TEXT) STRICT""",
    """CREATE TABLE coverage (
        source TEXT NOT NULL, hour INTEGER NOT NULL, batch TEXT NOT NULL, events INTEGER NOT NULL,
        failures INTEGER NOT NULL, matches INTEGER NOT NULL,
        PRIMARY KEY (source, hour, batch)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE triage (
        number INTEGER PRIMARY KEY AUTOINCREMENT, finding TEXT NOT NULL REFERENCES findings (id),
        time INTEGER NOT NULL, actor TEXT NOT NULL,
        status TEXT CHECK (status IN ('new', 'in_progress', 'closed')), owner TEXT, note TEXT) STRICT""",
    "CREATE INDEX triage_finding ON triage (finding, number)",
    # The file itself refuses to overwrite, whoever opens it.
    """CREATE TRIGGER findings_stay BEFORE UPDATE ON findings
        BEGIN SELECT RAISE(ABORT, 'a finding is never changed'); END""",
    """CREATE TRIGGER matches_stay BEFORE UPDATE ON matches
        BEGIN SELECT RAISE(ABORT, 'a match is never changed'); END""",
    """CREATE TRIGGER triage_stays BEFORE UPDATE ON triage
        BEGIN SELECT RAISE(ABORT, 'triage is only appended to'); END""",
    """CREATE TRIGGER triage_remains BEFORE DELETE ON triage
        BEGIN SELECT RAISE(ABORT, 'triage is only appended to'); END""",
)

# What exceptions took, once per exception; and the reason for which a finding was closed.
_EXCEPTIONS: Final = (
    "ALTER TABLE matches ADD COLUMN silenced TEXT",
    """CREATE TABLE suppressed (
        id TEXT PRIMARY KEY NOT NULL, time INTEGER, exception TEXT NOT NULL, title TEXT, match TEXT NOT NULL, rule TEXT,
        name TEXT, level TEXT, source TEXT, groupkey TEXT, finding TEXT, events TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX suppressed_exception_time ON suppressed (exception, time)",
    """CREATE TRIGGER suppressed_stay BEFORE UPDATE ON suppressed
        BEGIN SELECT RAISE(ABORT, 'a match is never changed'); END""",
    f"ALTER TABLE triage ADD COLUMN reason TEXT CHECK (reason IN ({', '.join(f'{word!r}' for word in REASONS)}))",
)

# What correlations remember (connectors/store_memory.py). A block is a Parquet file; `arrived` says when it came, which
# unlike what logs claim can't be forged.
_CORRELATIONS: Final = (
    """CREATE TABLE blocks (
        id TEXT PRIMARY KEY NOT NULL, rule TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        arrived INTEGER NOT NULL, told TEXT NOT NULL, matches BLOB NOT NULL) STRICT""",
    "CREATE INDEX blocks_rule ON blocks (rule, last)",
    "CREATE INDEX blocks_arrived ON blocks (arrived)",
    "CREATE TABLE times (source TEXT PRIMARY KEY NOT NULL, newest INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE waiting (correlation TEXT PRIMARY KEY NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)

# Time passes in each stream of a source by itself, and what waits has a version: matches that are kept while somebody
# looks at the windows they are in must not be overlooked.
_STREAMS: Final = (
    """CREATE TABLE clocks (
        source TEXT NOT NULL, stream TEXT NOT NULL, newest INTEGER NOT NULL, PRIMARY KEY (source, stream))
        STRICT, WITHOUT ROWID""",
    "INSERT INTO clocks SELECT source, '', newest FROM times",
    "DROP TABLE times",
    "ALTER TABLE waiting ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
)

# What lists are chosen by stands beside the documents, and what was decided last beside the history: the latest word
# that is not NULL counts, so a note alone keeps status and owner; what is opened again has no reason any more.
_FIELD: Final = """CASE WHEN json_valid(document ->> '$."soc.evidence"')
        THEN json_extract(document ->> '$."soc.evidence"', '$[0].fields."{name}"') END"""
_LISTS: Final = (
    f"""ALTER TABLE findings ADD COLUMN organisation TEXT GENERATED ALWAYS AS (coalesce(
        document ->> '$."organization.id"[0]', {_FIELD.format(name="organization.id")})) VIRTUAL""",
    """ALTER TABLE findings ADD COLUMN title_vi TEXT GENERATED ALWAYS AS (document ->> '$."soc.title.vi"') VIRTUAL""",
    "CREATE INDEX findings_lists ON findings (time DESC, level, rule, source, organisation, name, title_vi, groupkey)",
    "DROP INDEX findings_time",
    "CREATE INDEX entities_finding ON entities (finding)",  # what refers to a finding is looked for when it is entered
    """CREATE TABLE states (
        finding TEXT PRIMARY KEY NOT NULL, status TEXT NOT NULL, owner TEXT, reason TEXT, time INTEGER NOT NULL)
        STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER triage_counts AFTER INSERT ON triage BEGIN
        INSERT INTO states VALUES (NEW.finding, coalesce(NEW.status, 'new'), NEW.owner, NEW.reason, NEW.time)
        ON CONFLICT DO UPDATE SET status = coalesce(NEW.status, status), owner = coalesce(NEW.owner, owner),
            reason = CASE WHEN coalesce(NEW.status, status) = 'closed' THEN coalesce(NEW.reason, reason) END,
            time = NEW.time; END""",
    """INSERT INTO states SELECT finding,
        coalesce((SELECT status FROM triage t WHERE t.finding = o.finding AND status IS NOT NULL
                  ORDER BY number DESC LIMIT 1), 'new'),
        (SELECT owner FROM triage t WHERE t.finding = o.finding AND owner IS NOT NULL ORDER BY number DESC LIMIT 1),
        (SELECT reason FROM triage t WHERE t.finding = o.finding AND reason IS NOT NULL ORDER BY number DESC LIMIT 1),
        max(time) FROM triage o GROUP BY finding""",
)

# What findings add up to (connectors/store_cases.py). A finding is in one incident.
_CASES: Final = (
    """CREATE TABLE risks (
        time INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, risk REAL NOT NULL, document TEXT NOT NULL,
        PRIMARY KEY (kind, name, time)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX risks_time ON risks (time, risk)",
    "CREATE TABLE incidents (id TEXT PRIMARY KEY NOT NULL, opened INTEGER, follows TEXT) STRICT, WITHOUT ROWID",
    """CREATE TABLE members (
        finding TEXT PRIMARY KEY NOT NULL, incident TEXT NOT NULL REFERENCES incidents (id)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX members_incident ON members (incident)",
    """CREATE TABLE incident_triage (
        number INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL REFERENCES incidents (id),
        time INTEGER NOT NULL, actor TEXT NOT NULL,
        status TEXT CHECK (status IN ('new', 'in_progress', 'closed')), owner TEXT, note TEXT, reason TEXT) STRICT""",
    "CREATE INDEX incident_triage_incident ON incident_triage (incident, number)",
    """CREATE TRIGGER incident_triage_stays BEFORE UPDATE ON incident_triage
        BEGIN SELECT RAISE(ABORT, 'triage is only appended to'); END""",
    """CREATE TRIGGER incident_triage_remains BEFORE DELETE ON incident_triage
        BEGIN SELECT RAISE(ABORT, 'triage is only appended to'); END""",
    """CREATE TABLE verdicts (
        alert TEXT NOT NULL, time INTEGER NOT NULL, finding TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
        tags TEXT NOT NULL, PRIMARY KEY (alert, time)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX verdicts_finding ON verdicts (finding, time)",
)

# Of which incidents people were told outside, and when.
_NOTICES: Final = (
    """CREATE TABLE notices (
        incident TEXT NOT NULL REFERENCES incidents (id), time INTEGER NOT NULL, resolved INTEGER NOT NULL) STRICT""",
    "CREATE INDEX notices_incident ON notices (incident, time)",
)

# What lists are chosen by, in a table so narrow that looking it through takes some hundredths of a second.
_NARROW: Final = (
    "DROP INDEX findings_lists",
    """CREATE TABLE listed (
        id TEXT PRIMARY KEY NOT NULL, time INTEGER, level INTEGER NOT NULL, rule TEXT, source TEXT, organisation TEXT,
        name TEXT, title_vi TEXT, groupkey TEXT) STRICT, WITHOUT ROWID""",
    "CREATE INDEX listed_time ON listed (time DESC)",
    """INSERT INTO listed SELECT id, time, level, rule, source, organisation, name, title_vi, groupkey
        FROM findings""",
)

# The ledger knows whose events they were, and which came late.
_LEDGER: Final = (
    "ALTER TABLE coverage RENAME TO coverage_before",
    """CREATE TABLE coverage (
        source TEXT NOT NULL, hour INTEGER NOT NULL, organisation TEXT NOT NULL, batch TEXT NOT NULL,
        events INTEGER NOT NULL, late INTEGER NOT NULL, failures INTEGER NOT NULL, matches INTEGER NOT NULL,
        PRIMARY KEY (source, hour, organisation, batch)) STRICT, WITHOUT ROWID""",
    "INSERT INTO coverage SELECT source, hour, '', batch, events, 0, failures, matches FROM coverage_before",
    "DROP TABLE coverage_before",
)

# How far findings and coverage of Elasticsearch were copied (connectors/elastic/following.py).
_FOLLOWED: Final = (
    "CREATE TABLE followed (what TEXT PRIMARY KEY NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)

# Matches that make no finding (signals, maintenance), which risk asks for.
_MUTED: Final = ("CREATE INDEX matches_silenced ON matches (time, rule, groupkey) WHERE silenced IS NOT NULL",)

# What lists are chosen by is written beside documents; to make it of them took as long as writing them.
_PLAIN: Final = tuple(f"ALTER TABLE findings DROP COLUMN {name}" for name in ("title_vi", "organisation"))

# Entry n brings a file of format n to format n + 1. An entry that was released is never edited.
MIGRATIONS: Final = (
    _FIRST,
    _EXCEPTIONS,
    _CORRELATIONS,
    _STREAMS,
    _LISTS,
    _CASES,
    _NOTICES,
    _NARROW,
    _FOLLOWED,
    _LEDGER,
    _MUTED,
    _PLAIN,
)


# Entered before their finding: what a known finding named, when it was new, stands.
INSERT_ENTITIES: Final = """
INSERT INTO entities SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM findings WHERE id = ?1)
ON CONFLICT DO NOTHING
"""

INSERT_LISTED: Final = "INSERT INTO listed VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"

INSERT_TRIAGE: Final = "INSERT INTO triage (finding, time, actor, status, owner, note, reason) VALUES (?,?,?,?,?,?,?)"

SELECT_FIRST: Final = """
SELECT min(time) FROM (SELECT time FROM matches UNION ALL SELECT time FROM suppressed)
WHERE time BETWEEN 0 AND 253370764800000000
"""

# A match is of its finding's rule; a finding that isn't there (yet) leaves its name open.
SELECT_MATCHES: Final = """
SELECT matches.time, matches.id, matches.rule, name, level, events, matches.source, matches.groupkey, finding, silenced
FROM json_each(?) asked JOIN matches ON finding = asked.value LEFT JOIN findings ON findings.id = finding
ORDER BY asked.key, matches.time, matches.id LIMIT ?
"""

SELECT_MUTED: Final = """
SELECT rule, groupkey, max(time) FROM matches
WHERE silenced IS NOT NULL AND groupkey IS NOT NULL AND time >= ? AND time < ?
GROUP BY rule, groupkey, time / 86400000000 ORDER BY rule, groupkey, time / 86400000000
"""

SELECT_COVERAGE: Final = """
SELECT source, hour, sum(events), sum(late), sum(failures), sum(matches) FROM coverage
WHERE (:organisation IS NULL OR organisation = :organisation)
  AND (:since IS NULL OR hour >= :since) AND (:until IS NULL OR hour < :until)
GROUP BY source, hour ORDER BY source, hour
"""

# What was said of a finding later; asked of one rule's findings only, for want of an index.
SELECT_SUCCESSORS: Final = """
SELECT document FROM findings WHERE rule = (SELECT rule FROM findings WHERE id = ?)
  AND json_extract(document, '$."soc.follows"') = ? ORDER BY id
"""

# The latest reason of each finding that has one.
SELECT_REASONS: Final = """
SELECT finding, reason FROM triage t WHERE reason IS NOT NULL AND number =
    (SELECT max(number) FROM triage WHERE finding = t.finding AND reason IS NOT NULL)
"""

# Per exception and rule what it took, with the first and the last time; times that no calendar has are none.
SELECT_TAKEN: Final = """
SELECT exception, max(title), rule, max(name), max(level), count(*),
    min(time) FILTER (WHERE time BETWEEN 0 AND 253370764800000000),
    max(time) FILTER (WHERE time BETWEEN 0 AND 253370764800000000)
FROM suppressed
WHERE (:exception IS NULL OR exception = :exception) AND (:since IS NULL OR time >= :since)
  AND (:until IS NULL OR time < :until)
GROUP BY exception, rule ORDER BY count(*) DESC, exception, rule
"""
