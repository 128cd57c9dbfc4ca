"""The words of the report in one language, and its times in one zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files

import polars as pl
import yaml

from detectors.errors import UsageError
from flows.times import local

LANGUAGES = ("en", "vi")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every label in every language."""
    labels: dict[str, dict[str, str]] = yaml.safe_load(files(__package__).joinpath("labels.yml").read_text("utf-8"))
    return labels


def words(lang: str) -> dict[str, str]:
    """Return the labels in one language."""
    if lang not in LANGUAGES:
        raise UsageError(f"the report has no language {lang!r}", fix=f"choose one of {', '.join(LANGUAGES)}")
    return {label: texts[lang] for label, texts in catalogue().items()}


def spoken(findings: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return findings with titles and messages in another language, where their rules have them."""
    ways = {"rule.name": f"soc.title.{lang}", "message": f"soc.message.{lang}"}
    there = {plain: other for plain, other in ways.items() if other in findings.columns}
    return findings.with_columns(pl.coalesce(other, plain).alias(plain) for plain, other in there.items())


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the page shows it, and the same in UTC for its tooltip and for machines."""

    shown: str
    utc: str
    machine: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns times into moments of one zone."""

    zone: tzinfo
    form: str

    def local(self, time: datetime) -> datetime:
        """Return the time in the zone."""
        return local(time, self.zone)

    def moment(self, time: datetime | None) -> Moment | None:
        if time is None:
            return None
        utc = time.astimezone(UTC)
        return Moment(self.local(time).strftime(self.form), f"{utc:%Y-%m-%d %H:%M:%S} UTC", utc.isoformat())
