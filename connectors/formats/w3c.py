r"""W3C extended log format: IIS, its HTTP.sys errors, and others that name their fields in a line `#Fields:`.

    #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status
    2026-03-02 08:15:00 192.0.2.80 GET /a.aspx b=1 443 - 192.0.2.7 Mozilla/5.0+(Windows+NT+10.0) 200

Own columns: the fields as they are named, `cs(User-Agent)` as Sigma names it (`cs-user-agent`), and `timestamp`. Lines
that come before any `#Fields:` (a batch need not begin where its file did) are read as the first layout that they fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.formats.frames import ERROR, nulls, scatter
from connectors.patterns.fit import fit

REQUEST: Final = "s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip"
STATUS: Final = "sc-status sc-substatus sc-win32-status"
SIZES: Final = "sc-bytes cs-bytes time-taken"
CLIENT: Final = "cs-version cs(User-Agent) cs(Cookie) cs(Referer)"
LAYOUTS: Final = (
    # what IIS 7 and later write unless told otherwise, then what administrators often add
    f"{REQUEST} cs(User-Agent) cs(Referer) {STATUS} time-taken",
    f"s-sitename s-computername {REQUEST} {CLIENT} cs-host {STATUS} {SIZES}",
    f"s-sitename s-computername {REQUEST} {CLIENT} cs-host {STATUS} {SIZES} X-Forwarded-For",
    f"{REQUEST} cs(User-Agent) cs(Referer) {STATUS} time-taken X-Forwarded-For",
    f"{REQUEST} cs(User-Agent) cs(Cookie) cs-host {STATUS} time-taken",
    f"{REQUEST} cs(User-Agent) cs(Cookie) cs(Referer) {STATUS} {SIZES}",
    f"{REQUEST} cs(User-Agent) cs(Cookie) cs(Referer) {STATUS} {SIZES} X-Forwarded-For",
    f"s-sitename {REQUEST} cs(User-Agent) cs(Cookie) cs(Referer) cs-host {STATUS} {SIZES}",
    f"s-sitename s-computername {REQUEST} {CLIENT} {STATUS} {SIZES}",
    f"{REQUEST} cs(User-Agent) {STATUS} time-taken",
    f"{REQUEST} cs(User-Agent) cs(Referer) {STATUS}",
    "c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename",  # HTTPERR
    "c-ip c-port s-ip s-port cs-version cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename",
)
DIGITS: Final = re.compile(
    r"^(?:s-port|c-port|sc-(?:status|substatus|win32-status|bytes)|cs-bytes|time-taken|streamid)$"
)
METHOD: Final = re.compile(r"^cs-method$")
DIRECTIVE: Final = r"^#(?:Software|Version|Date|Fields|Start-Date|End-Date|Remark): ?(.*)$"
FIELDS: Final = r"^#Fields:\s*(.+?)\s*$"
HEADER: Final = re.compile(r"^(?:cs|sc|rs|x)\((.+)\)$")


def _name(field: str) -> str:
    header = HEADER.match(field)
    return f"cs-{header[1].lower()}" if header else field


BEGINNING: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "  # of lines whose layout isn't told
KNOWN: Final = frozenset(_name(field) for layout in LAYOUTS for field in layout.split())


@dataclass(frozen=True, slots=True)
class W3c:
    """Reads logs in the W3C extended format."""

    name: ClassVar[str] = "w3c"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        layout = original.str.extract(FIELDS).forward_fill()
        directive = original.str.contains("^#").fill_null(value=False)
        frame = pl.DataFrame([nulls("date", original.len())])
        for fields in layout.drop_nulls().unique(maintain_order=True):
            rows = ((layout == fields).fill_null(value=False) & ~directive).arg_true()
            frame = scatter(frame, rows, _split(original.gather(rows), fields))
        left = (layout.is_null() & ~directive & original.str.contains(BEGINNING)).arg_true()
        for rows, some in _guessed(original.gather(left), wanted) if left.len() else ():
            frame = scatter(frame, left.gather(rows), some)
        return _finished(frame, directive, wanted)


def _guessed(lines: pl.Series, wanted: frozenset[str] | None) -> Iterator[tuple[npt.NDArray[np.intp], pl.DataFrame]]:
    """Yield the lines that fit each of the layouts, and their fields."""
    which, found, _ = fit(lines, [*map(_pattern, LAYOUTS)], _places(wanted))
    for number, fields in enumerate(LAYOUTS):
        rows = np.flatnonzero(which == number)
        if rows.size:
            names = {place: name for place, name in _names(f"date time {fields}").items() if place in found.columns}
            yield rows, found.select(pl.col([*names]).gather(rows)).rename(names)


def _split(lines: pl.Series, fields: str) -> pl.DataFrame:
    separator = "\t" if "\t" in lines.head(1).str.join().item() else " "
    names = [_name(field) for field in fields.split()]
    parts = lines.str.split(separator)
    if (parts.list.len() > len(names)).any():  # a field that is empty instead of "-" leaves two spaces
        parts = lines.str.replace_all(r" {2,}", " ").str.split(separator)
    whole = parts.list.len() >= len(names)
    frame = parts.list.to_struct(fields=names).struct.unnest()
    return frame.with_columns(pl.when(whole).then(pl.all()))


def _pattern(fields: str) -> str:
    kinds = [
        r"\d+|-" if DIGITS.match(field) else r"[A-Za-z][\w-]*|-" if METHOD.match(field) else r"\S+"
        for field in fields.split()
    ]
    inner = " ".join(f"(?P<f{place + 2}>{kind})" for place, kind in enumerate(kinds))
    return rf"^(?P<f0>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) (?P<f1>[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}) {inner}\s*$"


def _places(wanted: frozenset[str] | None) -> frozenset[str]:
    """Return the groups where any layout has what is wanted, or the time."""
    asked = KNOWN if wanted is None else wanted
    named = [pair for layout in LAYOUTS for pair in _names(f"date time {layout}").items()]
    return frozenset(place for place, name in named if name in asked or name in {"date", "time"})


def _names(fields: str) -> dict[str, str]:
    return {f"f{place}": _name(field) for place, field in enumerate(fields.split())}


def _finished(frame: pl.DataFrame, directive: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    times = [pl.col(name) if name in frame.columns else pl.lit("00:00:00") for name in ("date", "time")]
    frame = frame.with_columns(timestamp=pl.concat_str(*times, separator=" "))
    frame = frame.with_columns(_derived(frame)).with_columns(
        pl.when(pl.all() != "-").then(pl.all()),
    )
    reason = (
        pl.when(directive)
        .then(pl.lit("is a directive"))
        .when(pl.col("date").is_null())
        .then(pl.lit("has not the fields that #Fields names, nor those of IIS"))
    )
    present = [name for name in frame.columns if name not in {"date", "time"}]
    names = (present if frame.height else sorted({*present, *KNOWN})) if wanted is None else sorted(wanted)
    columns = [pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name) for name in names]
    return frame.with_columns(reason.alias(ERROR)).select(*columns, ERROR)


def _derived(frame: pl.DataFrame) -> list[pl.Expr]:
    """Return columns as rules and people expect them: spaces in the agent, the bare version."""
    made = [
        pl.col(name).str.replace_all("+", " ", literal=True) for name in ("cs-user-agent",) if name in frame.columns
    ]
    if "cs-version" in frame.columns:
        made.append(pl.col("cs-version").str.strip_prefix("HTTP/"))
    return made
