"""Findings as the report shows them: cut to a size a browser can carry, hidden characters made visible.

Nothing here escapes HTML: the template does that for every text, so that it happens once and nowhere is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from detectors.questions import told
from flows.report.behaviour import Odd, odd
from flows.report.words import Clock, Moment
from flows.terminal import visible

TEXT = 2_000  # characters of one text
LINE = 6_000  # characters of one raw line
LIST = 12  # entries of one list
EVENTS = 5  # of a finding's evidence
FIELDS = 60  # of an event
EVIDENCE_BYTES = 8_000_000  # of the whole page; what comes after says that it was cut


@dataclass(frozen=True, slots=True)
class Cut:
    """A text and how many characters it lost."""

    text: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a finding's evidence."""

    id: str
    time: str  # as the evidence has it
    moment: Moment | None
    original: Cut
    fields: tuple[tuple[str, Cut], ...]
    more_fields: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The events of one finding; `withheld` when the page had no room left for them."""

    events: tuple[Event, ...] = ()
    more: int = 0
    withheld: bool = False
    size: int = 0


_LANGUAGE = re.compile(r"(?:^|\n\n)\[([a-z]{2})\] (.*?)(?=\n\n\[[a-z]{2}\] |$)", re.DOTALL)
MEANS = {"real": "means_real", "harmless": "means_harmless"}  # the labels of what a yes speaks for
QUERIES = {"command": "query_command", "kql": "query_kql", "esql": "query_esql"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of the decision list, and queries that help to answer it."""

    text: Cut
    means: str  # real, harmless: what a yes speaks for
    label: str
    queries: tuple[tuple[str, Cut], ...]  # the name of a label, and the query


@dataclass(frozen=True, slots=True)
class Card:
    """One finding."""

    id: str
    level: str
    rule: str
    rule_id: str
    message: Cut
    description: Cut
    falsepositives: tuple[Cut, ...]
    runbook: Cut
    references: tuple[Cut, ...]
    who: tuple[tuple[str, tuple[Cut, ...]], ...]
    what: tuple[tuple[str, tuple[Cut, ...]], ...]
    where: tuple[tuple[str, tuple[Cut, ...]], ...]
    hosts: tuple[str, ...]
    place: str  # for the one-line form: hosts, else the group
    techniques: tuple[str, ...]
    attack: tuple[str, ...]
    start: Moment | None
    end: Moment | None
    count: int
    evidence: Evidence = field(default_factory=Evidence)
    asks: tuple[Ask, ...] = ()
    odd: Odd | None = None  # what is out of the ordinary


def cut(text: object, most: int = TEXT, keep: str = "") -> Cut:
    """Return a text with hidden characters visible, cut to `most` characters of its own."""
    try:
        whole = text if isinstance(text, str) else orjson.dumps(text).decode()
    except orjson.JSONEncodeError:  # deeper than it writes, though not than it reads; the raw line shows it
        whole = "{…}"
    return Cut(visible(whole[:most], keep), max(len(whole) - most, 0))


def _cuts(texts: Iterable[str | None] | None) -> tuple[Cut, ...]:
    several = list(dict.fromkeys(text for text in texts or () if text))
    shown = tuple(cut(text) for text in several[:LIST])
    return (*shown, Cut(f"+{len(several) - LIST}")) if len(several) > LIST else shown


def card(row: Mapping[str, object], clock: Clock, room: int, lang: str = "en") -> Card:
    """Turn a row of FINDING into its card, with evidence if it fits into `room` characters."""

    def line(name: str, most: int = TEXT) -> Cut:
        return cut(row[name] or "", most)

    def several(name: str) -> tuple[Cut, ...]:
        value = row[name]
        return _cuts(value if isinstance(value, list) else [str(value)] if value else ())

    def named(**columns: str) -> tuple[tuple[str, tuple[Cut, ...]], ...]:
        return tuple((label, values) for label, column in columns.items() if (values := several(column)))

    steps = _spoken(str(row["soc.runbook"] or ""))
    hosts = tuple(host.text for host in several("host.name"))
    attack = tuple(pair.text for pair in several("soc.attack"))
    return Card(
        id=line("event.id", 100).text,
        level=line("soc.level", 20).text or "informational",
        rule=line("rule.name", 200).text or line("rule.id", 200).text,
        rule_id=line("rule.id", 200).text,
        message=line("message"),
        # its own language tells in the steps what it is about and why it is odd; the description is English
        description=Cut("") if lang in steps and lang != "en" else line("rule.description"),
        falsepositives=(several("soc.harmless.vi") if lang == "vi" else ()) or several("soc.falsepositives"),
        runbook=cut(steps.get(lang, str(row["soc.runbook"] or "")).strip(), keep="\n"),
        references=several("rule.reference"),
        who=named(user="user.name", source="source.ip"),
        what=named(process="process.executable", command="process.command_line", url="url.original", file="file.path"),
        where=named(host="host.name", destination="destination.ip", group="soc.group"),
        hosts=hosts,
        place=", ".join(hosts[:3]) + ("…" if len(hosts) > 3 else "") or line("soc.group", 200).text,
        techniques=tuple(dict.fromkeys(pair.partition(" / ")[2] for pair in attack if " / " in pair)),
        attack=attack,
        start=clock.moment(_time(row["event.start"]) or _time(row["@timestamp"])),
        end=clock.moment(_time(row["event.end"])),
        count=max(_whole(row["soc.count"]), _whole(row.get("soc.matches"))),  # and those that came later
        evidence=_evidence(row["soc.evidence"], clock, room),
        asks=_asks(row["soc.decisions"], lang),
        odd=odd(row["soc.anomaly"], clock, lang),
    )


def _spoken(text: str) -> dict[str, str]:
    """Return what a text in several languages, `[vi] … [en] …`, says in each; nothing of a plain text."""
    return dict(_LANGUAGE.findall(text))


def _asks(text: object, lang: str) -> tuple[Ask, ...]:
    asked = [each for each in told(text if isinstance(text, str) else None) if each.get("means") in MEANS]
    return tuple(
        Ask(
            cut(str(each.get(lang) or "")),
            each["means"],
            MEANS[each["means"]],
            tuple((label, cut(str(each[name]))) for name, label in QUERIES.items() if each.get(name)),
        )
        for each in asked[:LIST]
    )


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # not a time, or one at the very edge of the calendar
        return None


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _evidence(text: object, clock: Clock, room: int) -> Evidence:
    if not isinstance(text, str) or not text:
        return Evidence()
    if room <= 0:
        return Evidence(withheld=True)
    try:
        listed = orjson.loads(text)
    except orjson.JSONDecodeError:
        listed = [{"event.original": text}]  # not a list of events: show what there is
    items = (
        [item if isinstance(item, dict) else {"event.original": item} for item in listed]
        if isinstance(listed, list)
        else []
    )
    events = tuple(_event(item, clock) for item in items[:EVENTS])
    size = sum(len(e.original.text) + sum(len(n) + len(v.text) for n, v in e.fields) for e in events)
    return Evidence(events, max(len(items) - EVENTS, 0), size=size)


def _event(item: Mapping[str, object], clock: Clock) -> Event:
    fields = item.get("fields")
    pairs = [(name, value) for name, value in fields.items() if value is not None] if isinstance(fields, dict) else []
    return Event(
        id=cut(item.get("event.id") or "", 100).text,
        time=cut(item.get("@timestamp") or "", 40).text,
        moment=clock.moment(_instant(item.get("@timestamp"))),
        original=cut(item.get("event.original") or "", LINE, keep="\n\t"),
        fields=tuple((cut(name, 200).text, cut(value)) for name, value in sorted(pairs)[:FIELDS]),
        more_fields=max(len(pairs) - FIELDS, 0),
    )
