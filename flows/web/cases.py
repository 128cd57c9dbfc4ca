"""Pages of what findings add up to: entities at risk, incidents, and one incident's story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request

from connectors.store_cases import Case, Cases
from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.report.cards import cut
from flows.report.words import Clock
from flows.triage.story import Row, tell
from flows.web.listing import link, row
from flows.web.single import said
from flows.web.speech import spoken

if TYPE_CHECKING:
    from flows.web.app import Site

KINDS: Final = ("organisation", "system", "host", "user", "address")
TOP: Final = 20  # entities of a kind
ROWS: Final = 200  # incidents; findings of one
ASKED: Final = {"host": "host", "user": "user", "address": "ip", "organisation": "organisation"}


def risks(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the page of risk shows: the highest of each kind, and through what."""
    clock = Clock(site.zone, spoken(site.lang(request))["time_format"])
    cases, shown, when = Cases(site.store), [], None
    for kind in KINDS:
        at, found = cases.risks(kind, TOP)
        when = at or when
        shown.append((kind, [_entity(kind, each) for each in found.iter_rows(named=True)]))
    return {"kinds": shown, "when": clock.moment(when)}


def _entity(kind: str, risk: Mapping[str, Any]) -> Mapping[str, Any]:
    members = kind in {"organisation", "system"}
    return {
        **risk,
        "shown": cut(risk["name"], 120).text,
        "through": [cut(each, 120).text for each in risk["contributors" if members else "rules"] or ()],
        "link": link({}, **{ASKED[kind]: risk["name"]}) if kind in ASKED else None,
    }


def incidents(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the list of incidents shows."""
    clock = Clock(site.zone, spoken(site.lang(request))["time_format"])
    return {"cases": [_case(case, clock) for case in Cases(site.store).all(ROWS)]}


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
    return {
        "case": _case(story.case, clock),
        "title": cut(story.title, 200).text,
        "chain": [(tactic, len(rows), _titles(rows, lang)) for tactic, rows in story.chain],
        "rows": [row(each, clock, lang) for each in story.findings[:ROWS]],
        "names": [(kind, [cut(each, 80).text for each in some[:12]], len(some)) for kind, some in story.names.items()],
        "successors": story.successors,
        "history": [said(one, clock) for one in reversed(story.history)],
    }


def _titles(rows: Sequence[Row], lang: str) -> list[str]:
    titles = [(each["soc.title.vi"] if lang == "vi" else None) or each["rule.name"] or "?" for each in rows]
    return [cut(title, 120).text for title in dict.fromkeys(titles)][:5]
