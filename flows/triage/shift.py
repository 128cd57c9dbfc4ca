"""What a shift knows when it ends: deadlines, what was decided, what fits into the next one, what is deferred."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from connectors.store import Store
from connectors.store_cases import Case, Cases
from connectors.store_sums import Group, Sums
from connectors.store_wanted import Wanted
from detectors.numbers import number
from detectors.schema import LEVELS
from flows.times import shown
from flows.triage import duties
from flows.triage.capacity import Plan, Work, plan
from flows.triage.sheet import Sheet, Table
from flows.triage.story import case_titles

SHOWN: Final = 50  # rows of a table


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every label in every language."""
    text = files(__package__).joinpath("words.yml").read_text("utf-8")
    found: dict[str, dict[str, str]] = {str(name).lower(): texts for name, texts in yaml.safe_load(text).items()}
    return found


def spoken(lang: str) -> dict[str, str]:
    """Return the labels in one language."""
    return {label: texts[lang] for label, texts in catalogue().items()}


def member(named: str, t: Mapping[str, str]) -> str:
    """Return a member of a system or an organisation, such as `host DC01`, in a language."""
    kind, _, name = named.partition(" ")
    return f"{t.get(f'kind_{kind}', kind)} {name}"


def through(risk: Mapping[str, Any], titles: Mapping[str, str], t: Mapping[str, str]) -> list[str]:
    """Return what an entity (a row of RISK) is at risk through: its worst members, or rules by what they are called."""
    if risk["kind"] in {"system", "organisation"}:
        return [member(each, t) for each in risk["contributors"] or ()]
    return [titles.get(each, each) for each in risk["rules"] or ()]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a sheet speaks: in which language, and in which zone its times are."""

    lang: str
    zone: ZoneInfo

    @property
    def t(self) -> dict[str, str]:
        return spoken(self.lang)

    def clock(self, time: datetime | None) -> str:
        return shown(time, self.zone, self.t["time_form"])


def work(store: Store, law: duties.Duties, lang: str) -> list[Work]:
    """Return what is open: incidents, and by rule and organisation the findings that are in none."""
    cases, sums = Cases(store), Sums(store)
    still = _open(cases)
    names = [case.id for case in still]
    titles, risks, found = case_titles(store, names, lang), sums.risks(names), []
    for case in still:
        left = [each for each in duties.due(case, cases.history(case.id), law) if each.sent is None]
        until = left[0].until if left else None
        told = titles[case.id], _level(case.level), case.findings, risks.get(case.id, 0.0)
        found.append(Work("incident", case.id, *told, case.first, until))
    return found + [_group(each, lang) for each in sums.open_groups()]


def _group(group: Group, lang: str) -> Work:
    title = (group.title_vi if lang == "vi" else None) or group.name or group.rule or "?"
    where = f" ({group.organisation})" if group.organisation else ""
    return Work("findings", group.first, title + where, _level(group.level), group.count, group.risk, group.since)


def _open(cases: Cases) -> list[Case]:
    return cases.all(sys.maxsize, closed=False)


def _level(rank: int) -> str:
    return LEVELS[rank] if rank >= 0 else "informational"


def planned(store: Store, law: duties.Duties, minutes: int, now: datetime, lang: str) -> Plan:
    """Return what fits into a shift of so many minutes."""
    return plan(work(store, law, lang), minutes, now)


def handover(
    store: Store, law: duties.Duties, voice: Voice, *, minutes: int, since: datetime, now: datetime, by: str
) -> Sheet:
    """Return the sheet that one shift leaves to the next."""
    t, clock, made = voice.t, voice.clock, planned(store, law, minutes, now, voice.lang)
    over = t["over"].format(over=made.over) if made.over else ""
    statuses: dict[str, int] = {}
    for (_, status), count in store.tally(Wanted()).items():
        statuses[status] = statuses.get(status, 0) + count
    return Sheet(
        t["handover"],
        voice.lang,
        f"{clock(since)} – {clock(now)}; {t['made'].format(now=clock(now), by=by)}",
        [
            *((t[f"status_{status}"], statuses.get(status, 0)) for status in ("new", "in_progress", "closed")),
            (t["incidents"], Cases(store).count()[False]),
            (t["used"], f"{number(made.used, voice.lang)} / {number(minutes, voice.lang)}"),
        ],
        [
            deadlines(store, law, voice, now),
            _works(made.fits, voice, ("fits", "fits_none"), minutes, over),
            _works(made.deferred, voice, ("deferred", "deferred_none"), minutes),
            _decided(store, law, since, now, voice),
        ],
        t["zone"].format(zone=voice.zone.key) + " " + law_note(law, t),
    )


def deadlines(store: Store, law: duties.Duties, voice: Voice, now: datetime) -> Table:
    """Return the deadlines of open incidents, the nearest first."""
    cases, t, clock = Cases(store), voice.t, voice.clock
    rows = [(each.until, case, each) for case in _open(cases) for each in duties.due(case, cases.history(case.id), law)]
    shown = [
        (
            case.id[:12],
            each.duty.title.said(voice.lang),
            each.duty.to.said(voice.lang),
            clock(until),
            t["sent"].format(time=clock(each.sent)) if each.sent else left(each.left(now), t),
            cited(each.duty, t),
        )
        for until, case, each in sorted(rows, key=lambda row: (row[2].sent is not None, row[0], row[1].id))
    ]
    head = [t[name] for name in ("kind_incident", "duty", "to", "deadline", "left", "law")]
    return Table(t["duties"], head, shown[:SHOWN], t["duties_none"])


def left(time: timedelta, t: Mapping[str, str]) -> str:
    """Return how long is left as hours and minutes, or that it is overdue."""
    minutes = abs(int(time.total_seconds())) // 60
    text = t["left_form"].format(hours=minutes // 60, minutes=minutes % 60)
    return text if time >= timedelta() else t["overdue"].format(time=text)


def cited(what: duties.Duty | duties.Yearly, t: Mapping[str, str]) -> str:
    """Return what a duty rests on, and until when that may be cited without another look."""
    return t["cited"].format(law=what.law, day=f"{what.check_by:{t['day_form']}}")


def law_note(law: duties.Duties, t: Mapping[str, str]) -> str:
    """Return when the texts were looked at, and by when to look again."""
    every = [*law.duties, *law.yearly]
    checked, check_by = min(each.checked for each in every), min(each.check_by for each in every)
    form = t["day_form"]
    return t["check_law"].format(checked=f"{checked:{form}}", check_by=f"{check_by:{form}}")


def _works(works: list[Work], voice: Voice, words: tuple[str, str], minutes: int, note: str = "") -> Table:
    t, clock = voice.t, voice.clock
    rows = [
        (
            (each.level, t[f"level_{each.level}"]),
            each.title if each.kind == "findings" else f"{t['kind_incident']} {each.id[:12]}: {each.title}",
            each.count,
            f"{each.risk:.0f}",
            clock(each.since),
            clock(each.until),
            each.minutes,
        )
        for each in works[:SHOWN]
    ]
    head = [t[name] for name in ("level", "title", "count", "risk", "since", "deadline", "minutes")]
    return Table(t[words[0]].format(minutes=minutes), head, rows, t[words[1]], note, levels=True)


def _decided(store: Store, law: duties.Duties, since: datetime, now: datetime, voice: Voice) -> Table:
    t, clock, rows = voice.t, voice.clock, []
    every = [(one, "") for one in store.said(since, now, SHOWN)]
    every += [(one, f"{t['kind_incident']} ") for one in Cases(store).said(since, now, SHOWN)]
    for one, kind in sorted(every, key=lambda pair: pair[0].time, reverse=True)[:SHOWN]:
        status = one.status and t[f"status_{one.status}"]
        reason = one.reason and t[f"reason_{one.reason}"]
        words = " · ".join(filter(None, (status, reason, one.owner, duties.told(one.note, voice.lang, law))))
        rows.append((clock(one.time), one.actor, f"{kind}{one.finding[:12]}", words))
    return Table(t["done"], [t[name] for name in ("time", "by", "kind_findings", "said")], rows, t["done_none"])
