"""The frames that pass between the rooms: RECORD → EVENT → MATCH → FINDING, and DEAD beside them.

Column names are ECS dotted names; what ECS has no name for stands under `soc.`.
Times are UTC. Every frame may carry more columns than its schema; it never lacks one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl
from polars._typing import PolarsDataType

from detectors.ecs import COLUMNS, TIME

__all__ = [
    "COVERAGE",
    "DEAD",
    "ECS",
    "EVENT",
    "FINDING",
    "HEADING",
    "LEVELS",
    "MATCH",
    "MUTED",
    "ORIGIN",
    "PLACE",
    "RECORD",
    "RISK",
    "SEVERITY",
    "TIME",
]


def _columns(types: Mapping[str, PolarsDataType]) -> pl.Schema:
    return pl.Schema(types)


# A raw record as a source hands it over. `log.offset` is its position within its origin (a byte offset, an EVTX record
# number, a Kafka offset) and `soc.index` its place inside one Kafka envelope, so the two name a record for ever.
RECORD = _columns({"event.original": pl.String, "log.offset": pl.Int64, "soc.index": pl.Int32})

# Where a record came from, beside it where one batch holds records of several origins: see `Batch`.
PLACE = _columns({"soc.origin": pl.String, "soc.label": pl.String})

# Who received a record, when, and from whom, beside it where a collector told: see docs/collecting.md. What the log
# itself says in columns of these names counts more.
ORIGIN = _columns(
    {
        "event.created": TIME,
        "agent.name": pl.String,  # the collector's host
        "input.type": pl.String,  # udp, tcp, tls, http, file, folder, stdin
        "log.source.address": pl.String,  # the address that sent it
        "log.file.path": pl.String,
        "soc.sender.name": pl.String,  # of the sender's certificate, or of the token's holder
    }
)

# What every event has whatever its source. Beside these stand the source's own columns (String or List(String)) under
# their own names: the names Sigma rules use.
EVENT = _columns({"@timestamp": TIME, **RECORD})

ECS = _columns(COLUMNS)

# A line that could not become an event: nothing is lost, it waits here with its reason.
HEADING: Final = "a heading of the log file, no event"  # the reason of dead letters that nobody misses
DEAD = _columns({**RECORD, "soc.source": pl.String, "soc.origin": pl.String, "error.message": pl.String})

# What a source brought in an hour, or who watched it on a day: see detectors/coverage.py.
COVERAGE = _columns(
    {
        "@timestamp": TIME,  # the hour, or the day
        "event.id": pl.String,  # names the row
        "soc.source": pl.String,
        "organization.id": pl.String,
        "organization.name": pl.String,
        "soc.batch": pl.String,  # origin and place of the batch's first record; null: it says which rules run
        "soc.events": pl.Int64,
        "soc.late": pl.Int64,  # of them, those that came after much newer ones
        "soc.failures": pl.Int64,  # lines that could not become events
        "soc.matches": pl.Int64,
        "soc.rules.evaluated": pl.Int64,
        "soc.rules.blind": pl.List(pl.String),  # ids of rules that can't match there
        "soc.rules.version": pl.String,
        "soc.attack": pl.String,  # a "tactic / technique" that rules there look for
        "soc.rules.watching": pl.Int64,  # how many of them
    }
)

# Matches that make no finding, because their rule only signals or maintenance goes on: those of a rule, a group and a
# day, and when the last of them was.
MUTED = _columns({"rule.id": pl.String, "soc.group": pl.String, "@timestamp": TIME})

# One rule that matched a set of events (one event for a plain Sigma rule).
MATCH = _columns(
    {
        "@timestamp": TIME,
        "soc.match.id": pl.String,
        "rule.id": pl.String,
        "rule.name": pl.String,
        "soc.level": pl.String,
        "event.id": pl.List(pl.String),
        "soc.source": pl.String,
        "soc.group": pl.String,  # the group key as text, "host.name=DC01 | user.name=lan"
        "soc.finding.id": pl.String,  # null: it makes no finding
        "soc.silenced": pl.String,  # why not: "signal", "maintenance: <name>"
    }
)

# A match that an exception took, once per exception: it makes no finding and counts for nothing, but it is kept.
SUPPRESSED = _columns(
    {
        "@timestamp": TIME,
        "soc.suppressed.id": pl.String,
        "soc.exception.id": pl.String,
        "soc.exception.title": pl.String,
        "soc.match.id": pl.String,
        "rule.id": pl.String,
        "rule.name": pl.String,
        "soc.level": pl.String,
        "event.id": pl.List(pl.String),
        "soc.source": pl.String,
        "soc.group": pl.String,
        "soc.finding.id": pl.String,  # the finding that it would belong to
    }
)

# What an analyst sees: one rule × group key × window in event time. Immutable: triage lives elsewhere.
FINDING = _columns(
    {
        "@timestamp": TIME,  # the first event of the group
        "event.id": pl.String,  # the finding's id
        "event.kind": pl.String,
        "event.category": pl.List(pl.String),
        "event.type": pl.List(pl.String),
        "event.module": pl.String,
        "event.provider": pl.String,
        "event.dataset": pl.String,
        "event.action": pl.String,
        "event.severity": pl.Int64,  # 21, 47, 73, 99
        "event.risk_score": pl.Float64,
        "event.start": TIME,
        "event.end": TIME,
        "message": pl.String,  # in English
        "soc.message.vi": pl.String,  # null: the rule says nothing in Vietnamese
        "soc.title.vi": pl.String,
        "rule.id": pl.String,
        "rule.name": pl.String,
        "rule.description": pl.String,
        "rule.author": pl.List(pl.String),
        "rule.license": pl.String,
        "rule.reference": pl.List(pl.String),
        "rule.ruleset": pl.String,
        "rule.version": pl.String,  # the semantic hash of the detection
        "threat.framework": pl.String,
        "threat.tactic.id": pl.List(pl.String),
        "threat.tactic.name": pl.List(pl.String),
        "threat.technique.id": pl.List(pl.String),
        "organization.id": pl.List(pl.String),  # whose events they are
        "organization.name": pl.List(pl.String),
        "host.name": pl.List(pl.String),
        "user.name": pl.List(pl.String),
        "source.ip": pl.List(pl.String),
        "destination.ip": pl.List(pl.String),
        "process.executable": pl.List(pl.String),
        "process.command_line": pl.List(pl.String),
        "url.original": pl.List(pl.String),
        "file.path": pl.List(pl.String),
        "related.hosts": pl.List(pl.String),
        "related.ip": pl.List(pl.String),
        "related.user": pl.List(pl.String),
        "soc.level": pl.String,  # the Sigma level
        "soc.status": pl.String,  # the Sigma status
        "soc.tags": pl.List(pl.String),
        "soc.attack": pl.List(pl.String),  # one keyword per pair: "execution / T1059.001"
        "soc.falsepositives": pl.List(pl.String),
        "soc.harmless.vi": pl.List(pl.String),  # the same in Vietnamese
        "soc.runbook": pl.String,
        "soc.decisions": pl.String,  # JSON list of yes-or-no questions with their queries: see detectors.questions
        "soc.source": pl.String,
        "soc.origin": pl.List(pl.String),
        "soc.group": pl.String,
        "soc.follows": pl.String,  # the finding that this one withdraws or tells again
        "soc.window.start": TIME,
        "soc.window.end": TIME,
        "soc.count": pl.Int64,  # matches known when the finding was made; later ones are matches under its id
        "soc.capped": pl.List(pl.String),  # fields of which only the first values are named above
        # JSON list of the first events, whole: {"event.id", "@timestamp", "event.original", "fields"}
        "soc.evidence": pl.String,
        "soc.anomaly": pl.String,  # JSON of what was usual and what was seen, in both languages; null: no anomaly
    }
)

# What correlations remember, one document each: blocks of matches, that a block was told, how far time has come in a
# stream of a source, what waits. Times are microseconds since 1970.
MEMORY = _columns(
    {
        "soc.kind": pl.String,  # block, told, clock, waiting
        "rule.id": pl.String,
        "soc.block": pl.String,
        "soc.by": pl.String,  # the correlations that told
        "soc.first": pl.Int64,
        "soc.last": pl.Int64,
        "soc.arrived": pl.Int64,
        "soc.size": pl.Int64,
        "soc.matches": pl.String,  # a Parquet file as base64
        "soc.key": pl.String,  # of a clock or of what waits: a list as JSON
        "soc.newest": pl.Int64,
        "soc.since": pl.Int64,
        "soc.version": pl.Int64,
    }
)

# How much an entity is at risk (detectors/risk.py).
RISK = _columns(
    {
        "kind": pl.String,  # host, user, address, system, organisation
        "name": pl.String,
        "risk": pl.Float64,  # 0 to 100
        "level": pl.String,
        "findings": pl.Int64,
        "tactics": pl.List(pl.String),
        "rules": pl.List(pl.String),  # titles of those that add most, the first most
        "contributors": pl.List(pl.String),  # findings, or members as "host DC01", that add most
        "criticality": pl.String,
        "organisation": pl.String,
    }
)

ORGANISATION = ("organization.id", "organization.name")  # columns either of which says whose event it is
SEVERITY = {"informational": 21, "low": 21, "medium": 47, "high": 73, "critical": 99}
LEVELS = tuple(SEVERITY)  # from least to most severe
