"""Pages of what findings add up to: entities at risk, incidents, and one incident's story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from connectors.store_cases import Case, Cases
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.report.cards import cut
from flows.report.words import Clock
from flows.triage import duties
from flows.triage.shift import cited, through
from flows.triage.shift import left as left_of
from flows.triage.shift import spoken as shift_words
from flows.triage.story import Row, case_title, case_titles, organisations, rule_titles, tell
from flows.web.deciding import CASE_FIELDS
from flows.web.listing import link, row
from flows.web.single import said
from flows.web.site import Site
from flows.web.speech import spoken

KINDS: Final = ("organisation", "system", "host", "user", "address")
TOP: Final = 20  # entities of a kind
ROWS: Final = 200  # incidents; findings of one
CLOSED: Final = {"open": False, "closed": True, "all": None}
ASKED: Final = {"host": "host", "user": "user", "address": "ip", "organisation": "organisation"}


def risks(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the page of risk shows: the highest of each kind, and through what."""
    clock = Clock(site.zone, spoken(site.lang(request))["time_format"])
    cases, shown, when, t = Cases(site.store), [], None, shift_words(site.lang(request))
    for kind in KINDS:
        at, found = cases.risks(kind, TOP)
        when = at or when
        titles = rule_titles(site.store, found["rules"].explode(empty_as_null=True).drop_nulls(), site.lang(request))
        names = organisations(site.store, found["name"]) if kind == "organisation" else {}
        shown.append((kind, [_entity(each, names, titles, t) for each in found.iter_rows(named=True)]))
    return {"kinds": shown, "when": clock.moment(when)}


def _entity(
    risk: Mapping[str, Any], names: Mapping[str, str], titles: Mapping[str, str], t: Mapping[str, str]
) -> Mapping[str, Any]:
    kind, name = risk["kind"], risk["name"]
    return {
        **risk,
        "shown": cut(names.get(name, name), 120).text,
        "through": [cut(each, 120).text for each in through(risk, titles, t)],
        "link": link({}, **{ASKED[kind]: name}) if kind in ASKED else None,
    }


def incidents(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the list of incidents shows: open ones, unless others are asked for."""
    lang = site.lang(request)
    clock, cases = Clock(site.zone, spoken(lang)["time_format"]), Cases(site.store)
    asked = request.query_params.get("show", "open")
    show = asked if asked in CLOSED else "open"
    count = cases.count()
    found = cases.all(ROWS, closed=CLOSED[show])
    titles = case_titles(site.store, [case.id for case in found], lang)
    return {
        "cases": [{**_case(case, clock), "title": cut(titles[case.id], 200).text} for case in found],
        "show": show,
        "counts": {"open": count[False], "closed": count[True], "all": sum(count.values())},
    }


def _case(case: Case, clock: Clock) -> Mapping[str, Any]:
    return {
        "id": case.id,
        "level": LEVELS[case.level] if case.level >= 0 else "informational",
        "status": case.status,
        "owner": cut(case.owner or "", 60).text,
        "findings": case.findings,
        "first": clock.moment(case.first),
        "last": clock.moment(case.last),
        "follows": case.follows,
    }


def incident(site: Site, request: Request) -> Mapping[str, Any] | None:
    """Return what the page of an incident shows; None when there is none."""
    lang = site.lang(request)
    clock = Clock(site.zone, spoken(lang)["time_format"])
    try:
        story = tell(site.store, request.query_params.get("id", ""))
    except UsageError:
        return None
    law = site.law
    history = [replace(one, note=duties.told(one.note, lang, law)) for one in story.history]
    return {
        "case": _case(story.case, clock),
        "reason": next((one.reason for one in reversed(story.history) if one.status), None),
        "title": cut(case_title(site.store, story.case.id, lang), 200).text,
        "chain": [(tactic, len(rows), _titles(rows, lang)) for tactic, rows in story.chain],
        "rows": [row(each, clock, lang) for each in story.findings[:ROWS]],
        "names": [(kind, [cut(each, 80).text for each in some[:12]], len(some)) for kind, some in story.names.items()],
        "successors": story.successors,
        "due": [_due(each, clock, lang) for each in duties.due(story.case, story.history, law)],
        "marks": [(mark, words.said(lang)) for mark, words in duties.MARKS.items()],
        "sendable": [(duty.id, duty.title.said(lang)) for duty in law.duties],
        "seen": len(story.history),
        "history": [said(one, clock) for one in reversed(history)],
        "problem": "",
        "typed": dict.fromkeys(CASE_FIELDS, "") | {"members": "yes"},
    }


def _due(due: duties.Due, clock: Clock, lang: str) -> tuple[object, ...]:
    duty, left = due.duty, due.left(datetime.now(UTC))
    words = left_of(left, shift_words(lang))
    late = left < timedelta()
    until, sent = clock.moment(due.until), clock.moment(due.sent)
    return duty.title.said(lang), duty.to.said(lang), until, words, late, sent, cited(duty, shift_words(lang))


def _titles(rows: Sequence[Row], lang: str) -> list[str]:
    titles = [(each["soc.title.vi"] if lang == "vi" else None) or each["rule.name"] or "?" for each in rows]
    return [cut(title, 120).text for title in dict.fromkeys(titles)][:5]
