"""Decision lists: what an analyst asks about a finding with yes or no, what a yes means, and where to look.

A rule brings questions of its own (`soc: questions:`) and names shared ones (`questions.yml`); one that does neither
has those of its log source. Queries are put together from fields and values here, each quoted as its language wants
it: a rule only says which fields, so nothing that a log says can become a part of a query's grammar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from shlex import quote
from typing import Any, Final

import orjson

from detectors.contracts import LogSource
from detectors.evidence import ENTITIES
from detectors.meta import Meta, Question
from detectors.tables import read_table
from detectors.telling import LONGEST, NAMED, Values, fill

LOOKS: Final = ("events", "findings")
MEANS: Final = ("real", "harmless")
INDEX: Final = "soc-findings"
SHOWN: Final = "@timestamp, soc.level, rule.name, host.name, user.name, source.ip, message"
ROWS: Final = 200
OPTIONS: Final = {"user.name": "user", "host.name": "host", "source.ip": "ip", "destination.ip": "ip"}
CORRELATION: Final = "correlation"  # whose questions are those of rules without a log source of their own
ANOMALY: Final = (
    "again",
    "other_findings_of_the_account",
    "other_findings_of_the_address",
    "other_findings_of_the_host",
    "announced_work",
)

Span = tuple[datetime | None, datetime | None]
Found = Sequence[tuple[str, tuple[str, ...]]]  # fields with the values to look for


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about one finding; the queries are "" where there is nothing to look for."""

    en: str
    vi: str
    means: str  # real, harmless: what a yes speaks for
    kql: str = ""
    esql: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Questions that rules share, by name, and whose rules have which when they name none: the first that fits."""

    questions: Mapping[str, Question]
    defaults: Sequence[tuple[LogSource, tuple[str, ...]]]
    correlations: tuple[str, ...]

    def of(self, source: LogSource | None) -> tuple[str, ...]:
        """Return the names of the questions for rules of a log source; None is that of a correlation."""
        if source is None:
            return self.correlations
        return next((names for each, names in self.defaults if each.covers(source)), ())


@cache
def catalogue() -> Catalogue:
    """Read the questions that come with the program."""
    data = read_table("questions.yml")
    return Catalogue(
        {name: Question(**{**words, "by": tuple(words.get("by", ()))}) for name, words in data["questions"].items()},
        [(LogSource(**each.get("of", {})), tuple(each["ask"])) for each in data["defaults"]],
        tuple(data[CORRELATION]),
    )


def decide(meta: Meta, values: Values, start: datetime | None, end: datetime | None) -> str | None:
    """Return the decision list of a finding as JSON (a list of Asked); None where there is none.

    `values` gives what the events have in a field. A shared question that speaks of a field without a value is left
    out; one of the rule's own is asked without queries.
    """
    known = catalogue().questions
    shared = [known[name] for name in meta.asks if name in known]
    found = [(each, _look(each, values)) for each in (*meta.questions, *shared)]
    told = [each for place, each in enumerate(found) if place < len(meta.questions) or not each[0].by or each[1]]
    listed = [_asked(question, looked, meta.id, values, (start, end)) for question, looked in told]
    return orjson.dumps(listed).decode() if listed else None


def _asked(question: Question, found: Found, rule: str, values: Values, span: Span) -> Asked:
    en, vi = fill(question.en, values), fill(question.vi, values)
    start, end = span
    if start is None or (question.by and not found):
        return Asked(en, vi, question.means)
    since, until = _edge(start, -question.before), _edge(end or start, question.after)
    wanted = [(name, texts) for name, texts in found if name in ENTITIES] or [("rule.id", (rule,))]
    make = _hunt if question.look == "events" and found else _list
    return Asked(
        en, vi, question.means, _kql(wanted, since, until), _esql(wanted, since, until), make(found, rule, since, until)
    )


def _look(question: Question, values: Values) -> Found:
    """Return the fields of a question that have values; what was cut or can't be printed is not looked for."""
    found = []
    for name in question.by:
        texts = dict.fromkeys(str(each) for each in values(name) if not isinstance(each, list))
        whole = tuple(text for text in texts if text and text.isprintable() and len(text) <= LONGEST)[:NAMED]
        if whole:
            found.append((name, whole))
    return found


@lru_cache(maxsize=1_000)  # the questions of a finding share most of theirs
def _edge(time: datetime, seconds: int) -> str:
    try:
        moved = time.astimezone(UTC) + timedelta(seconds=seconds)
    except OverflowError:  # the outermost days of the calendar
        moved = time.astimezone(UTC)
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: str) -> str:
    """Quote a text for KQL and ES|QL: within double quotes neither takes anything else for grammar."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _kql(wanted: Found, since: str, until: str) -> str:
    parts = [f"{name} : ({' or '.join(map(_text, texts))})" for name, texts in wanted]
    return " and ".join((*parts, f'@timestamp >= "{since}"', f'@timestamp <= "{until}"'))


def _esql(wanted: Found, since: str, until: str) -> str:
    lines = [f"FROM {INDEX}", f'WHERE @timestamp >= "{since}" AND @timestamp <= "{until}"']
    for name, texts in wanted:  # a field of several values equals none of them
        lines += [f"MV_EXPAND {name}", "WHERE " + " OR ".join(f"{name} == {_text(text)}" for text in texts)]
    return " | ".join((*lines, f"KEEP {SHOWN}", "SORT @timestamp", f"LIMIT {ROWS}"))


def _hunt(found: Found, _: str, since: str, until: str) -> str:
    parts = [f"--where {quote(f'{name}={text}')}" for name, texts in found for text in texts]
    return " ".join(("soc hunt", *parts, f"--since {since}", f"--until {until}"))


def _list(found: Found, rule: str, since: str, until: str) -> str:
    parts = {OPTIONS[name]: texts[0] for name, texts in found if name in OPTIONS} or {"rule": rule}
    options = (f"--{option}={quote(text)}" for option, text in parts.items())
    return " ".join(("soc findings list", *options, f"--since {since}", f"--until {until}"))


def told(text: str | None) -> list[dict[str, Any]]:
    """Read a decision list; what isn't of its form is left out."""
    try:
        listed = orjson.loads(text or "[]")
    except orjson.JSONDecodeError:
        return []
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
