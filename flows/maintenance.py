"""Maintenance windows as people write them: the file that `maintenance:` of the settings names.

maintenance:
  - name: Patches of the web servers
    owner: Data centre
    begin: 2026-03-09T20:00     # in the zone of the settings, unless it says another
    end: 2026-03-10T04:00
    every: week                 # or day; until: 2026-12-31
    hosts: [web*]
    rules: [Service installed that runs a shell]
    organisations: [sotp]
    level: high                 # critical matches make findings all the same, unless this says `critical`

A window that is wrong costs itself: what it would have silenced makes findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from detectors.errors import Place, RuleError, UsageError
from detectors.maintenance import Calendar, Window
from detectors.sigma.document import Document, documents
from flows.refusing import refusal

LONGEST: Final = timedelta(days=31)
YEARS: Final = range(1970, 2200)
_EVERY = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
_KEY: Final = "maintenance"
_TIME = "a time: 2026-03-09T07:00, of the zone of the settings unless it says another"
TAKES: Final = {
    "name": "what happens, as a text",
    "owner": "who answers for it, as a text",
    "reason": "why, as a text",
    "document": "the number of a document, in quotes",
    "begin": _TIME,
    "end": _TIME,
    "every": "`day` or `week`, or leave it out",
    "until": _TIME,
    "rules": "a list of ids or titles",
    "hosts": "a list of names, in quotes where they begin with `*`",
    "organisations": "a list of codes or names",
    "everything": "`true`, or leave it out",
    "level": "informational, low, medium, high or critical",
}


class Written(BaseModel):
    """One window."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    owner: str = ""
    reason: str = ""
    document: str = ""
    begin: datetime
    end: datetime
    every: Literal["day", "week"] | None = None
    until: datetime | None = None
    rules: list[str] = []
    hosts: list[str] = []
    organisations: list[str] = []
    everything: bool = False
    level: Literal["informational", "low", "medium", "high", "critical"] = "high"

    @model_validator(mode="after")
    def _is_sound(self) -> Written:
        if not all(time.year in YEARS for time in (self.begin, self.end, self.until) if time):
            raise ValueError(f"a time outside of {YEARS[0]} to {YEARS[-1]}")
        length = self.end.replace(tzinfo=None) - self.begin.replace(tzinfo=None)
        if length <= timedelta(0):
            raise ValueError("`end` is not after `begin`")
        if length > LONGEST:
            raise ValueError(f"longer than {LONGEST.days} days: write an exception instead")
        if self.every and length > _EVERY[self.every]:
            raise ValueError(f"longer than the {self.every} after which it comes again")
        if not (self.rules or self.hosts or self.organisations or self.everything):
            raise ValueError("name `rules`, `hosts` or `organisations`, or write `everything: true`")
        return self


def read(path: Path | None, zone: tzinfo) -> tuple[Calendar, tuple[RuleError, ...]]:
    """Read a file of windows, and the faults of what is none."""
    if path is None:
        return Calendar(), ()
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the maintenance windows can't be read: {error}", place=Place(str(path))) from error
    found = [outcome for document in documents(text, str(path)) for outcome in _windows(document, zone)]
    faults = tuple(each for each in found if isinstance(each, RuleError))
    return Calendar([each for each in found if isinstance(each, Window)]), faults


def _windows(document: Document | RuleError, zone: tzinfo) -> Iterator[Window | RuleError]:
    if isinstance(document, RuleError):
        yield document
        return
    written = document.data.get(_KEY)
    if not isinstance(written, list):
        yield RuleError("no list of windows", place=document.place(_KEY), fix=f"start with `{_KEY}:`")
        return
    for number, body in enumerate(written):
        try:
            yield _window(Written.model_validate(body), zone)
        except ValidationError as error:
            yield refusal(document, _KEY, number, error, TAKES)


def _window(written: Written, zone: tzinfo) -> Window:
    return Window(
        name=written.name,
        begin=_moment(written.begin, zone),
        end=_moment(written.end, zone),
        every=_EVERY[written.every] if written.every else None,
        until=_moment(written.until, zone) if written.until else None,
        rules=frozenset(map(str.lower, written.rules)),
        hosts=tuple(map(str.lower, written.hosts)),
        organisations=frozenset(map(str.lower, written.organisations)),
        level=written.level,
    )


def _moment(time: datetime, zone: tzinfo) -> datetime:
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
