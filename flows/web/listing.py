"""The list of findings: what is asked, a page of it, how many there are, and when they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from connectors.store_wanted import Order, Wanted
from detectors.errors import UsageError
from detectors.numbers import number
from detectors.schema import LEVELS
from flows.report.cards import cut
from flows.report.pictures import Bar
from flows.report.words import Clock, Moment
from flows.triage.story import titled
from flows.web.site import Site
from flows.web.speech import spoken

ROWS: Final = 50  # findings on a page
TEXTS: Final = ("rule", "host", "user", "ip", "source", "organisation", "owner", "reason", "text")
HEIGHT: Final = 90
NAME: Final = 200  # characters of a source or an organisation


@dataclass(frozen=True, slots=True)
class Row:
    """A finding in a list."""

    id: str
    level: str
    title: str
    message: str
    place: str
    moment: Moment | None
    count: int
    status: str
    owner: str


def shown(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the page of a list shows."""
    asked = {name: value for name, value in request.query_params.items() if value and name != "lang"}
    wanted, order, page = read(asked, site.zone)
    lang = site.lang(request)
    clock = Clock(site.zone, spoken(lang)["time_format"])
    every = site.store.tally(replace(wanted, status=None))
    statuses: dict[str, int] = {}
    for (_, status), count in every.items():
        statuses[status] = statuses.get(status, 0) + count
    total = sum(count for (_, status), count in every.items() if wanted.status in {None, status})
    pages = max((total + ROWS - 1) // ROWS, 1)
    page = min(page, pages)
    length, counts = site.store.timeline(wanted)
    days = sorted(time for time, _, _ in counts)
    found = site.store.select(wanted, order=order, limit=ROWS, offset=(page - 1) * ROWS)
    return {
        "rows": [row(each, clock, lang) for each in found.iter_rows(named=True)],
        "asked": dict.fromkeys((*TEXTS, "level", "status", "since", "until"), "") | asked,
        "filtered": bool(asked),
        "order": order,
        "total": total,
        "statuses_count": statuses,
        "page": page,
        "pages": pages,
        "levels": [*reversed(LEVELS)],
        "sources": _choices(site.store.choices("source")),
        "organisations": _choices(site.store.choices("organisation")),
        "bars": bars(length, counts, clock, lang),
        "ends": [f"{clock.local(day):%d/%m/%Y %H:%M}" for day in (days[:1] + days[-1:])],
        "height": HEIGHT,
        "link": lambda **changes: link(asked, **changes),
    }


def _choices(values: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Return values with the words they are shown as; what is longer than any name is none to choose."""
    return [(value, cut(value).text, count) for value, count in values if len(value) <= NAME]


def read(asked: Mapping[str, str], zone: ZoneInfo) -> tuple[Wanted, Order, int]:
    """Read a query: what findings have to be, in which order, and the number of the page."""
    texts = {name: asked[name] for name in TEXTS if name in asked}
    since, until = (_day(asked.get(name), zone) for name in ("since", "until"))
    level, status = asked.get("level"), asked.get("status")
    wanted = Wanted(level=level, status=status, since=since, until=until, **texts)  # type: ignore[arg-type]  # asked() looks
    wanted.asked()
    page = asked.get("page", "1")
    if not page.isascii() or not page.isdigit() or len(page) > 9:
        raise UsageError(f"{page!r} is no number of a page")
    return wanted, "newest" if asked.get("order") == "newest" else "severe", max(int(page), 1)


def _day(text: str | None, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date", fix="write 2026-11-28") from None
    return time if time.tzinfo else time.replace(tzinfo=zone)


def link(asked: Mapping[str, str], **changes: str | int | None) -> str:
    """Return the address of the list with another value; None leaves one out, and the first page is shown."""
    kept = {name: value for name, value in asked.items() if name != "page"} | changes
    query = urlencode([(name, value) for name, value in kept.items() if value is not None])
    return f"/?{query}" if query else "/"


def row(finding: Mapping[str, Any], clock: Clock, lang: str) -> Row:
    """Return a finding as a list shows it."""
    hosts = [host for host in finding["host.name"] or () if host]
    title, message = titled(finding, lang)
    return Row(
        finding["event.id"],
        finding["soc.level"] if finding["soc.level"] in LEVELS else "informational",
        cut(title, 200).text,
        cut(message, 300).text,
        cut(", ".join(hosts[:3]) or finding["soc.group"] or "", 120).text,
        clock.moment(finding["@timestamp"]),
        max(finding["soc.matches"], finding["soc.count"] or 0),
        finding["soc.triage.status"],
        cut(finding["soc.triage.owner"] or "", 60).text,
    )


def bars(length: timedelta, counts: list[tuple[datetime, str, int]], clock: Clock, lang: str) -> list[Bar]:
    """Return the timeline as bars of a picture 1000 wide."""
    if not counts:
        return []
    t, begin = spoken(lang), min(time for time, _, _ in counts)
    columns = (max(time for time, _, _ in counts) - begin) // length + 1
    width = 1000 / columns
    sums: dict[datetime, int] = {}
    for time, _, count in counts:
        sums[time] = sums.get(time, 0) + count
    scale = HEIGHT / max(sums.values())
    made, top = [], dict.fromkeys(sums, float(HEIGHT))
    for time, level, count in sorted(counts, key=lambda each: -LEVELS.index(each[1])):
        height = count * scale
        top[time] -= height
        title = f"{clock.local(time):%d/%m/%Y %H:%M}: {number(count, lang)} {t[f'level_{level}']}"
        x = ((time - begin) // length) * width
        made.append(Bar(level, round(x, 2), round(top[time], 2), round(width * 0.86, 2), round(height, 2), title))
    return made
