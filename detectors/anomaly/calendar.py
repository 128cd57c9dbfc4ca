"""Working hours, as far as features need them: which hours of which days are off, and which days are like another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

import polars as pl


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Office hours on weekdays in one zone, and the days that are holidays."""

    zone: ZoneInfo
    begin: time = time(6, 30)
    end: time = time(18, 30)
    holidays: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()  # weekend days that are worked instead of others

    def works(self, at: pl.Expr) -> pl.Expr:
        """Say of UTC times whether their local day is a working day."""
        local = at.dt.convert_time_zone(self.zone.key)
        works = local.dt.weekday() <= 5
        if self.worked:
            works |= local.dt.date().is_in(sorted(self.worked))
        return works & ~local.dt.date().is_in(sorted(self.holidays)) if self.holidays else works

    def off(self, at: pl.Expr) -> pl.Expr:
        """Say of UTC times whether nobody is expected to work then."""
        local = at.dt.convert_time_zone(self.zone.key).dt.time()
        return ~self.works(at) | (local < self.begin) | (local >= self.end)

    def hour(self, at: pl.Expr) -> pl.Expr:
        """Return the local hour of UTC times."""
        return at.dt.convert_time_zone(self.zone.key).dt.hour()

    def window(self, at: pl.Expr, length: str) -> pl.Expr:
        """Return the begin (UTC) of the local hour or day of UTC times."""
        every = {"hour": "1h", "day": "1d"}[length]
        local = at.dt.convert_time_zone(self.zone.key).dt.truncate(every)
        return local.dt.convert_time_zone("UTC").dt.cast_time_unit("us")

    def after(self, at: pl.Expr) -> pl.Expr:
        """Return the begin (UTC) of the local day after those that begin at these times."""
        return at.dt.convert_time_zone(self.zone.key).dt.offset_by("1d").dt.convert_time_zone("UTC")
