"""Statutory duties as data, and how long is left for each of an incident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.store import Triage
from connectors.store_cases import Case
from detectors.errors import Place, UsageError
from detectors.schema import LEVELS

Mark = Literal["serious", "national_security", "personal_data"]
MARK, SENT = "#mark ", "#sent "  # how what was marked and sent stands in an incident's history
BUILT_IN = Path(__file__).with_name("duties.yml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Words(_Part):
    """A text in both languages."""

    en: str
    vi: str

    def said(self, lang: str) -> str:
        return self.vi if lang == "vi" else self.en


class _Law(_Part):
    id: str
    title: Words
    law: str
    mark: str
    checked: date
    check_by: date


class Duty(_Law):
    """What an incident asks for, within so many hours of its opening or of its mark."""

    applies: Literal["every", "serious", "national_security", "personal_data"]
    hours: int = Field(ge=0)
    since: Literal["incident", "mark"] = Field(alias="from")
    to: Words
    content: Words


class Yearly(_Law):
    """What each year asks for, before a day of it."""

    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)


class Duties(_Part):
    """The whole of a file of duties."""

    serious_from: Literal["medium", "high", "critical"] = "critical"
    duties: tuple[Duty, ...]
    yearly: tuple[Yearly, ...] = ()


MARKS: Final[dict[str, Words]] = {
    "serious": Words(en="serious incident", vi="sự cố nghiêm trọng"),
    "national_security": Words(en="affects national security", vi="ảnh hưởng an ninh quốc gia"),
    "personal_data": Words(en="breach of personal data", vi="vi phạm dữ liệu cá nhân"),
}
MARK_WORDS: Final = {"en": "marked", "vi": "phân loại"}
SENT_WORDS: Final = {"en": "report sent", "vi": "đã gửi báo cáo"}


@dataclass(frozen=True, slots=True)
class Due:
    """A duty of one incident: until when, and when it was done."""

    duty: Duty
    until: datetime
    sent: datetime | None

    def left(self, now: datetime) -> timedelta:
        return self.until - now


@cache
def read(path: Path | None = None) -> Duties:
    """Read a file of duties; None: the program's own.

    Raises:
        UsageError: it can't be read or says what isn't known.
    """
    path = path or BUILT_IN
    try:
        return Duties.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError) as error:
        fix = "`triage.duties` names the file; flows/triage/duties.yml is how one looks"
        raise UsageError(f"can't be read: {error}", place=Place(str(path)), fix=fix) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{where}: {first['msg']}", place=Place(str(path)), fix="see flows/triage/duties.yml"
        ) from None


def due(case: Case, history: Iterable[Triage], duties: Duties) -> list[Due]:
    """Return the duties of an incident, the most urgent first; those that were done come last."""
    marks: dict[str, datetime] = {}
    sent: dict[str, datetime] = {}
    for one in history:
        for prefix, known in ((MARK, marks), (SENT, sent)):
            if one.note and one.note.startswith(prefix):
                known.setdefault(_named(one.note, prefix), one.time)
    begun = case.opened or case.first
    if case.level >= LEVELS.index(duties.serious_from) and begun is not None:
        marks.setdefault("serious", begun)
    found = []
    for duty in duties.duties:
        if duty.applies != "every" and duty.applies not in marks:
            continue
        start = marks[duty.applies] if duty.since == "mark" and duty.applies in marks else begun
        if start is not None:
            found.append(Due(duty, start + timedelta(hours=duty.hours), sent.get(duty.id)))
    return sorted(found, key=lambda each: (each.sent is not None, each.until, each.duty.id))


def _named(note: str, prefix: str) -> str:
    """Return the mark or duty that a note names: its first word, if it has any."""
    return (note.removeprefix(prefix).split() or [""])[0]


def told(note: str | None, lang: str, law: Duties) -> str | None:
    """Return a note as people read it: what was marked, or which report was sent, in a language."""
    if note is None or not note.startswith((MARK, SENT)):
        return note
    named = _named(note, SENT if note.startswith(SENT) else MARK)
    if note.startswith(SENT):
        title = next((duty.title.said(lang) for duty in law.duties if duty.id == named), named)
        return f"{SENT_WORDS[lang]}: {title}"
    return f"{MARK_WORDS[lang]}: {MARKS[named].said(lang) if named in MARKS else named}"


def next_yearly(duties: Duties, now: datetime, zone: ZoneInfo) -> list[tuple[date, Yearly]]:
    """Return when each yearly duty is due next, the nearest first."""
    today = now.astimezone(zone).date()
    found = []
    for each in duties.yearly:
        this = date(today.year, each.month, each.day)
        found.append((this if this >= today else date(today.year + 1, each.month, each.day), each))
    return sorted(found, key=lambda pair: (pair[0], pair[1].id))
