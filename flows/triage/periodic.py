"""The weekly and the monthly report, of one organisation or of the province."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from connectors.store import Store
from connectors.store_cases import Cases
from connectors.store_sums import Sums
from connectors.store_wanted import Wanted
from detectors.schema import LEVELS
from detectors.verdicts import advise, judged
from flows.triage import duties, shift
from flows.triage.reckoning import decisions, every
from flows.triage.sheet import Sheet, Table
from flows.triage.story import case_titles, organisations, rule_titles

Period = Literal["week", "month"]
SHOWN: Final = 30
KINDS: Final = ("organisation", "system", "host", "user", "address")


def bounds(period: Period, day: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the week (from Monday) or month, in local time, that holds a day."""
    local = day.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        begin = local - timedelta(days=local.weekday())
        return begin, begin + timedelta(days=7)
    begin = local.replace(day=1)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def report(
    store: Store,
    law: duties.Duties,
    covered: Mapping[str, frozenset[str]],
    voice: shift.Voice,
    *,
    period: Period,
    day: datetime,
    now: datetime,
    by: str,
    organisation: str | None = None,
) -> Sheet:
    """Return the report of the week or month that holds a day; `covered` are the techniques of each rule that runs."""
    t, zone, (begin, end) = voice.t, voice.zone, bounds(period, day, voice.zone)
    wanted = Wanted(since=begin, until=end, organisation=organisation)
    whose = organisations(store, [organisation])[organisation] if organisation else t["province"]
    counts = store.tally(wanted)
    found = every(store, wanted)
    rules = judged(found, decisions(store))
    hours, form = rules["hours"].drop_nulls().median(), t["day_form"]
    return Sheet(
        f"{t[f'report_{period}']}: {whose}",
        voice.lang,
        f"{begin:{form}} – {end - timedelta(days=1):{form}}; {t['made'].format(now=voice.clock(now), by=by)}",
        [
            (t["count"], sum(counts.values())),
            *((t[f"status_{status}"], _of(counts, status=status)) for status in ("new", "in_progress", "closed")),
            (t["hours"], hours if isinstance(hours, float) else "—"),
        ],
        [
            _levels(counts, t),
            _incidents(store, (begin, end), organisation, voice),
            _risks(store, organisation, voice),
            _rules(rules, covered, _titles(found, voice.lang), t),
            *([] if organisation else [_tuned(store, begin, end, voice)]),
            _coverage(store, begin, min(end, now), organisation, t),
            _yearly(law, now, voice),
        ],
        t["zone"].format(zone=zone.key) + " " + shift.law_note(law, t),
    )


def _of(counts: Mapping[tuple[str, str], int], *, level: str | None = None, status: str | None = None) -> int:
    return sum(n for (one, other), n in counts.items() if level in {None, one} and status in {None, other})


def _levels(counts: Mapping[tuple[str, str], int], t: Mapping[str, str]) -> Table:
    statuses = ("new", "in_progress", "closed")
    rows = [
        (
            (level, t[f"level_{level}"]),
            *(_of(counts, level=level, status=status) for status in statuses),
            _of(counts, level=level),
        )
        for level in reversed(LEVELS)
    ]
    return Table(t["levels"], [t["level"], *(t[f"status_{each}"] for each in statuses), t["count"]], rows, levels=True)


def _incidents(store: Store, within: tuple[datetime, datetime], organisation: str | None, voice: shift.Voice) -> Table:
    cases, rows, t, clock = Cases(store), [], voice.t, voice.clock
    begin, end = within
    found = [
        case for case in cases.all(sys.maxsize) if case.first and case.last and begin <= case.last and case.first < end
    ]
    if organisation:
        whose = Sums(store).organisations(case.id for case in found)
        found = [case for case in found if organisation in whose.get(case.id, ())]
    titles = case_titles(store, [case.id for case in found[:SHOWN]], voice.lang)
    for case in found[:SHOWN]:
        level = LEVELS[max(case.level, 0)]
        words = (
            f"{case.id[:12]}: {titles[case.id]}",
            case.findings,
            clock(case.first),
            clock(case.last),
            t[f"status_{case.status}"],
        )
        rows.append(((level, t[f"level_{level}"]), *words, case.owner or t["unassigned"]))
    head = [t[name] for name in ("level", "kind_incident", "count", "since", "last", "status", "owner")]
    return Table(t["incidents"], head, rows, t["incidents_none"], levels=True)


def _risks(store: Store, organisation: str | None, voice: shift.Voice) -> Table:
    rows, t = [], voice.t
    for kind in KINDS:
        _, found = Cases(store).risks(kind, 200)
        mine = found if organisation is None else found.filter(pl.col("organisation") == organisation)
        shown = mine.head(5)
        titles = rule_titles(store, shown["rules"].explode(empty_as_null=True).drop_nulls(), voice.lang)
        names = organisations(store, shown["name"]) if kind == "organisation" else {}
        for row in shown.iter_rows(named=True):
            level = (row["level"], t[f"level_{row['level']}"])
            rows.append(
                (
                    level,
                    t[f"kind_{kind}"],
                    names.get(row["name"], row["name"]),
                    f"{row['risk']:.0f}",
                    "; ".join(shift.through(row, titles, t)),
                )
            )
    return Table(
        t["risks"],
        [t[n] for n in ("level", "kind", "name", "risk", "through")],
        rows,
        t["risks_none"],
        levels=True,
    )


def _titles(found: pl.DataFrame, lang: str) -> dict[str, str]:
    """Return what rules are called in a language, by their ids, where they have a name in it."""
    named = found.drop_nulls(["rule.id", "soc.title.vi"]) if lang == "vi" else found.head(0)
    return dict(named.select("rule.id", "soc.title.vi").unique("rule.id", keep="last").iter_rows())


def _rules(
    rules: pl.DataFrame, covered: Mapping[str, frozenset[str]], titles: Mapping[str, str], t: Mapping[str, str]
) -> Table:
    advice, rows = advise(rules, covered), []
    for row in rules.head(SHOWN).iter_rows(named=True):
        word, alone = advice[row["rule"]]
        share = "—" if row["precision"] is None else f"{row['precision']:.0%} ({row['least']:.0%}–{row['most']:.0%})"
        note = t[f"advice_{word}"] + (f" ({', '.join(sorted(alone))})" if alone and word == "tune" else "")
        rows.append((titles.get(row["rule"], row["title"]), row["findings"], row["true"], row["false"], share, note))
    return Table(
        t["rules"], [t[n] for n in ("rule", "count", "true", "false", "precision", "advice")], rows, t["rules_none"]
    )


def _tuned(store: Store, begin: datetime, end: datetime, voice: shift.Voice) -> Table:
    """Return what exceptions took in the period; it isn't known of which organisation that was."""
    t, found = voice.t, store.taken(since=begin, until=end)
    titles = rule_titles(store, found["rule.name"].drop_nulls(), voice.lang)
    rows = [
        (title, titles.get(rule, rule), count, voice.clock(first), voice.clock(last))
        for title, rule, count, first, last in found.select(
            "soc.exception.title", "rule.name", "matches", "first", "last"
        ).head(SHOWN).iter_rows()
    ]  # fmt: skip
    head = [t[name] for name in ("exception", "rule", "taken", "since", "last")]
    return Table(t["tuned"], head, rows, t["tuned_none"])


def _coverage(store: Store, begin: datetime, end: datetime, organisation: str | None, t: Mapping[str, str]) -> Table:
    """Return per source in how many hours of the period it brought anything, and in how many it didn't."""
    hours = max(int((end - begin) / timedelta(hours=1)), 0)
    found = (
        store.coverage(begin, end, organisation)
        .filter(pl.col("soc.events") > 0)
        .group_by("soc.source")
        .agg(pl.col("soc.hour").n_unique().alias("hours"), pl.col("soc.events").sum(), pl.col("soc.failures").sum())
        .sort("hours", "soc.source")
    )
    rows = [(name, seen, max(hours - seen, 0), events, lost) for name, seen, events, lost in found.iter_rows()]
    head = [t["source"], t["coverage"].split(": ")[-1], t["blind_hours"], t["events"], t["failures"]]
    return Table(t["coverage"], head, rows, t["coverage_none"])


def _yearly(law: duties.Duties, now: datetime, voice: shift.Voice) -> Table:
    t, due = voice.t, duties.next_yearly(law, now, voice.zone)
    rows = [
        (f"{day:{voice.t['day_form']}}", each.title.said(voice.lang), shift.cited(each, voice.t)) for day, each in due
    ]
    return Table(t["yearly"], [t["deadline"], t["duty"], t["law"]], rows)
