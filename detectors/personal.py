"""Personal data of people in Vietnam in free text: numbers of citizens, phones, insurance, and e-mail addresses.

Digits alone mean little: one in six numbers of twelve digits that begin with 0 could be a citizen's. So a number counts
where a word before it says what it is, or where a log holds several and nearly all numbers of that shape are possible
ones, which digits of another meaning are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

ENOUGH: Final = 3  # distinct possible values that tell without a word
SHARE: Final = 0.9  # of the values of that shape must be possible then
OLDEST: Final = 1920  # year of birth; counters filled up with zeros would be older

# codes of provinces at the registration of births, as they were until the mergers of 2025
PROVINCES: Final = (  # noqa: SIM905  a list of strings would be ten times as long
    "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 "
    "044 045 046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 086 087 "
    "089 091 092 093 094 095 096"
).split()
INSURED: Final = (  # noqa: SIM905  groups of insured people
    "DN HX CH NN TK HC XK HT TB NO CT XB TN CS QN CA CY XN MS CC CK CB KC HD TE BT HN DT DK XD TS TC TQ TA TY HG LS PV "
    "HS SV GB GD TH TV TD TU BA TG DC CN LT XV NU NM NB"
).split()
MOBILE: Final = r"^0(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])\d{7}$"

BEFORE: Final = r"(?:^|[^0-9A-Za-z_./+\-])"  # parts of GUIDs, paths, versions and decimals are no numbers of people
AFTER: Final = r"(?:$|[^0-9A-Za-z_/\-])"
LINK: Final = r"[\p{L}_]*[\"']?\s*(?:[:=]|là|la|so|số|no\.?|number)?\s*[\"']?(?:số|so)?\s*"


@dataclass(frozen=True, slots=True)
class Kind:
    """Values of one shape: which of them are possible, and the words that announce them.

    `alone` says that `ENOUGH` possible values tell without a word.
    """

    name: str
    shape: str
    words: str
    possible: Callable[[pl.Expr, int], pl.Expr]
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """Personal data of one kind in some texts."""

    kind: str
    rows: int  # texts that hold any
    values: int  # distinct ones
    example: str  # masked


def _citizen(value: pl.Expr, year: int) -> pl.Expr:
    century = value.str.slice(3, 1).cast(pl.Int64)
    born = 1900 + century // 2 * 100 + value.str.slice(4, 2).cast(pl.Int64)
    return value.str.slice(0, 3).is_in(PROVINCES) & (century < 4) & (born >= OLDEST) & (born <= year)


def _phone(value: pl.Expr, _: int) -> pl.Expr:
    return value.str.replace(r"^\+84", "0").str.contains(MOBILE)


def _card(value: pl.Expr, _: int) -> pl.Expr:
    province = pl.lit("0") + value.str.slice(3, 2)
    return value.str.slice(0, 2).is_in(INSURED) & value.str.slice(2, 1).is_in(list("12345")) & province.is_in(PROVINCES)


def _any(_: pl.Expr, __: int) -> pl.Expr:
    return pl.lit(value=True)


KINDS: Final = (
    Kind("citizen_id", r"0\d{11}", r"cccd|cmnd|c[aă]n c[uư][oớ]c|[dđ][iị]nh danh|citizen|national_?id", _citizen),
    Kind(
        "phone",
        r"(?:0[3-9]\d{8}|\+84[3-9]\d{8})",
        r"phone|mobile|sdt|s[dđ]t|[dđ]i[eệ]n tho[aạ]i|dien_thoai|tel",
        _phone,
    ),
    Kind("insurance_card", r"[A-Z]{2}\d{13}", r"bhyt|th[eẻ] b[aả]o hi[eể]m|b[aả]o hi[eể]m y t[eế]", _card),
    Kind("insurance_number", r"\d{10}", r"bhxh|b[aả]o hi[eể]m x[aã] h[oộ]i", _any, alone=False),
    Kind("email", r"[A-Za-z0-9._%+\-]+@(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,}", r"e-?mail", _any),
)


def personal(texts: pl.Series, year: int) -> list[Seen]:
    """Return the personal data that the texts hold; nobody was born after `year`."""
    found = (_seen(texts, kind, year) for kind in KINDS)
    return [seen for seen in found if seen is not None]


def mask(value: str) -> str:
    """Return a value that people may see: `064***89`."""
    return f"{value[:3]}***{value[-2:]}" if len(value) > 6 else "***"


def _seen(texts: pl.Series, kind: Kind, year: int) -> Seen | None:
    there = texts.filter(texts.str.contains(kind.shape)).alias("text")  # most have none
    if there.is_empty():
        return None
    rows = there.to_frame().with_row_index("row")
    said = _values(rows, f"(?i:{kind.words})(?-i){LINK}({kind.shape}){AFTER}", kind, year)
    bare = _values(rows, f"{BEFORE}({kind.shape}){AFTER}", kind, year)
    possible = bare.filter("possible")
    distinct = possible["value"].n_unique()
    alone = kind.alone and distinct >= ENOUGH
    kept = said.filter("possible")
    if alone and distinct >= SHARE * bare["value"].n_unique():
        kept = pl.concat([kept, possible])
    if kept.is_empty():
        return None
    return Seen(kind.name, kept["row"].n_unique(), kept["value"].n_unique(), mask(str(kept["value"][0])))


def _values(rows: pl.DataFrame, pattern: str, kind: Kind, year: int) -> pl.DataFrame:
    """Return `row`, `value` and whether it is `possible`, of all matches of a pattern around the shape."""
    matches = pl.col("text").str.extract_all(pattern).list.unique()
    found = rows.select("row", matches.alias("match")).explode("match").drop_nulls()
    value = pl.col("match").str.extract(f"({kind.shape}){AFTER}?$")
    return (
        found.select("row", value.alias("value"))
        .drop_nulls()
        .with_columns(kind.possible(pl.col("value"), year).alias("possible"))
    )
