"""An incident's story as lines for a terminal, in a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.store import Triage
from detectors.numbers import number
from flows.report.words import words
from flows.terminal import plain
from flows.times import shown
from flows.triage.duties import Duties, due, told
from flows.triage.shift import cited, left, spoken
from flows.triage.story import Row, Story, headline, titled

NAMES = 20  # of a kind


@dataclass(frozen=True, slots=True)
class Telling:
    """How a story is told: the duties that follow from it, and where, when and in which language people read it."""

    law: Duties
    zone: ZoneInfo
    now: datetime
    lang: str


def lines(story: Story, how: Telling) -> Iterator[str]:
    """Yield a story: what it is, its deadlines, kill chain, findings in order of time, names, and what was said."""
    t = words(how.lang) | spoken(how.lang)
    yield from _head(story, how, t)
    yield f"\n{t['chain']}"
    yield from (_step(tactic, rows, how, t) for tactic, rows in story.chain)
    yield f"\n{t['story']}"
    yield from (_finding(row, how, t) for row in story.findings)
    yield ""
    for kind, names in story.names.items():
        if names:
            more = f" (+{len(names) - NAMES})" if len(names) > NAMES else ""
            yield plain(f"{t[f'kind_{kind}']}: {', '.join(names[:NAMES])}", 600) + more
    if story.history:
        yield f"\n{t['history_said']}"
    yield from (_said(one, how, t) for one in story.history)


def _head(story: Story, how: Telling, t: Mapping[str, str]) -> Iterator[str]:
    case = story.case
    title = headline(story.worst, titled(story.worst, how.lang)[0]) if story.worst else case.id
    yield plain(f"{title}: {t[f'status_{case.status}']}, {number(case.findings, how.lang)} {t['kind_findings']}")
    if case.follows:
        yield f"{t['before']} {case.follows}"
    yield from (f"{t['after']} {successor}" for successor in story.successors)
    for each in due(case, story.history, how.law):
        until, sent = shown(each.until, how.zone), each.sent and shown(each.sent, how.zone)
        done = t["sent"].format(time=sent) if sent else left(each.left(how.now), t)
        yield plain(f"{t['deadline']} {until} ({done}): {each.duty.title.said(how.lang)}; {cited(each.duty, t)}")


def _step(tactic: str, rows: Sequence[Row], how: Telling, t: Mapping[str, str]) -> str:
    titles = "; ".join(dict.fromkeys(titled(row, how.lang)[0] for row in rows))
    return plain(f"  {t[f'tactic_{tactic}']:<27} {len(rows):>4}  {titles}", 160)


def _finding(row: Row, how: Telling, t: Mapping[str, str]) -> str:
    time, level = shown(row["@timestamp"], how.zone, "%d/%m/%Y %H:%M:%S"), row["soc.level"]
    title, message = titled(row, how.lang)
    return plain(f"  {time}  {t.get(f'level_{level}', t['unknown']):<10} {message or title}  [{row['event.id']}]", 400)


def _said(one: Triage, how: Telling, t: Mapping[str, str]) -> str:
    status = one.status and t[f"status_{one.status}"]
    reason = one.reason and f"({t.get(f'reason_{one.reason}', one.reason)})"
    given = (status, reason, one.owner and f"→ {one.owner}", told(one.note, how.lang, how.law))
    return plain(f"  {shown(one.time, how.zone)} {one.actor}: {' '.join(filter(None, given))}", 400)
