"""One finding: what it says, its evidence, what happened around it, and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from connectors.store_wanted import Wanted
from flows.report.cards import Cut, card, cut
from flows.report.words import Clock, Moment
from flows.triage.story import titled
from flows.web.deciding import FIELDS
from flows.web.listing import Row, row
from flows.web.site import Site
from flows.web.speech import spoken

ROOM: Final = 400_000  # characters of evidence on the page
AROUND: Final = timedelta(days=1)
NAMES: Final = 3  # hosts, accounts and addresses each that are looked around for
RELATED: Final = 30
UNDER: Final = 100  # matches shown, the oldest
SAID: Final = 200  # decisions shown, the latest


def shown(site: Site, request: Request) -> Mapping[str, Any] | None:
    """Return what the page of a finding shows; None when there is none."""
    name = request.query_params.get("id", "")
    finding = site.store.whole(name)
    if finding is None:
        return None
    if site.upkeep:
        site.upkeep.fetch(site.store, name)
    lang = site.lang(request)
    clock = Clock(site.zone, spoken(lang)["time_format"])
    title, message = titled(finding, lang)
    history, later = site.store.history(name), site.store.successors(name)
    return {
        "card": card({**finding, "rule.name": title, "message": message}, clock, ROOM, lang),
        "card_id": name,
        "status": finding["soc.triage.status"],
        "owner": cut(finding["soc.triage.owner"] or "", 60).text,
        "reason": finding["soc.triage.reason"],
        "matches": max(finding["soc.matches"], finding["soc.count"] or 0),
        "under": under(site.store, name, clock),
        "seen": len(history),
        "history": [said(one, clock) for one in reversed(history[-SAID:])],
        "successors": [(each["event.id"], cut(titled(each, lang)[1], 300).text) for each in later],
        "related": around(site.store, finding, clock, lang),
        "problem": "",
        "typed": dict.fromkeys(FIELDS, ""),
        "incident": Cases(site.store).of(name),
    }


def under(store: Store, finding: str, clock: Clock) -> list[tuple[Moment | None, str, str, str]]:
    """Return the first matches under a finding: when, of which source, the ids of its events, why it was silenced."""
    rows = (
        store.matches_of(finding, limit=UNDER)
        .select("@timestamp", "soc.source", "event.id", "soc.silenced")
        .iter_rows()
    )
    return [
        (
            clock.moment(time),
            cut(source or "", 60).text,
            cut(", ".join(events or ())).text,
            cut(silenced or "", 120).text,
        )
        for time, source, events, silenced in rows
    ]


def said(one: Triage, clock: Clock) -> tuple[Moment | None, str, Triage, str, Cut]:
    """Return a decision with its time, and its words as they are shown."""
    owner, note = cut(one.owner or "", 60).text, cut(one.note or "", keep="\n")
    return clock.moment(one.time), cut(one.actor, 60).text, one, owner, note


def around(store: Store, finding: Mapping[str, Any], clock: Clock, lang: str) -> list[Row]:
    """Return findings of the same names within a day, in order of time, this one among them."""
    time = finding["@timestamp"]
    if time is None or not 1971 <= time.year <= 9000:
        return []
    found: dict[str, Mapping[str, Any]] = {}
    for kind, column in (("host", "host.name"), ("user", "user.name"), ("ip", "source.ip")):
        for value in [each for each in finding[column] or () if each][:NAMES]:
            wanted = Wanted(**{kind: value}, since=time - AROUND, until=time + AROUND)
            near = store.select(wanted, limit=RELATED)
            found |= {each["event.id"]: each for each in near.iter_rows(named=True)}
    others = sorted(found.values(), key=lambda each: abs(each["@timestamp"] - time))[:RELATED]
    return [row(each, clock, lang) for each in sorted(others, key=lambda each: (each["@timestamp"], each["event.id"]))]
