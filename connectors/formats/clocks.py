"""Rewrites the times of odd logs into forms that `connectors.times` reads."""

from __future__ import annotations

from typing import Final

import polars as pl

# 30/Jul/2026:09:03:52.726 · 06-Mar-2026 18:34:17.383 · 27 Dec 2026 11:19:18.874 · 30 May 10:03:19
DAY_FIRST: Final = r"^(\d{1,2})[-/ ]([A-Z][a-z]{2})(?:[-/ ](\d{4}))?[ :](\d\d:\d\d:\d\d.*)$"
SHORT: Final = r"^(\d\d)(\d\d)(\d\d) +(\d{1,2}:\d\d:\d\d)$"  # 260315  9:46:45
MONTHS: Final = dict(
    zip(
        [f"{number:02d}" for number in range(1, 13)],
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        strict=True,
    )
)
# Abbreviations that servers write; ambiguous ones (IST, CST in Asia) are left out, and read in the source's zone.
ZONES: Final = {
    "UTC": "Z", "GMT": "Z", "WET": "Z", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
    "MSK": "+03:00", "ICT": "+07:00", "WIB": "+07:00", "SGT": "+08:00", "HKT": "+08:00", "JST": "+09:00",
    "KST": "+09:00", "AEST": "+10:00", "EST": "-05:00", "EDT": "-04:00", "PST": "-08:00", "PDT": "-07:00",
}  # fmt: skip


def month_first(text: pl.Expr) -> pl.Expr:
    """Return `Jul 30 2026 09:03:52.726` for times that begin with the day."""
    return text.str.replace(DAY_FIRST, "$2 $1 $3 $4").str.replace("  ", " ", literal=True)


def whole_year(text: pl.Expr) -> pl.Expr:
    """Return `2026-03-15 9:46:45` with an hour of two digits for what MySQL wrote before 5.7."""
    full = text.str.replace(SHORT, "20$1-$2-$3 $4")
    return full.str.replace(r"([T ]) ?(\d:\d\d:\d\d)", "${1}0$2")


def offset(zone: pl.Expr) -> pl.Expr:
    """Return the offset of a zone that is abbreviated, an offset as it is, and "" for what is ambiguous."""
    known = zone.replace_strict(ZONES, default=None, return_dtype=pl.String)
    return pl.coalesce(known, pl.when(zone.str.contains(r"^[+-]\d\d")).then(zone), pl.lit(""))
