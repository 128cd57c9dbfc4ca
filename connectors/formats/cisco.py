r"""Messages of Cisco's ASA, FTD, IOS, IOS XE and NX-OS: `%FACILITY-severity-MNEMONIC: text` after any header.

    Apr 24 2013 16:00:28 fw01 : %ASA-6-106100: access-list inside denied udp inside/192.0.2.1(1039) -> …
    <165>7433: rt01: 007439: Jan  5 08:15:00.123 UTC: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: lan] …
    <189>: 2023 May  2 12:57:15 UTC: %ETHPORT-5-IF_DOWN_ADMIN_DOWN: Interface Ethernet1/42 is down

    <113>2026-03-02T01:15:00Z ftd01 %FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 192.0.2.1, …

Own columns: `facility`, `sub_facility`, `severity`, `mnemonic`, `text`, and those of the header. A line without `%…:`
has all after its header as `text`. Where a text of FTD is pairs, their keys are columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import header, pairs
from connectors.formats.fitting import first_fit, groups
from connectors.formats.frames import ERROR, nulls, scatter
from connectors.patterns.fit import fit

MESSAGE: Final = (
    r"(?s)^(?P<head>[^%]*)%(?P<facility>[A-Z][A-Za-z0-9_]*)-(?:(?P<sub_facility>[A-Za-z0-9_-]+?)-)?(?P<severity>[0-7ACEWNID])-"
    r"(?P<mnemonic>[A-Za-z0-9_]+) ?:? ?(?:message repeated (?P<repeats>\d+) times: \[ ?)?(?P<text>.*)$"
)
PLAIN: Final = (
    r"(?s)^(?P<head>\s*(?:<\d+>)?(?:.*\d\d:\d\d:\d\d(?:\.\d+)?)(?:[^:]*: ?| \S+ ))(?P<text>.*)$"  # after the time
)
PAIRS: Final = r"^[A-Z][A-Za-z0-9_]+: [^,]*, [A-Z][A-Za-z0-9_]+: "
KEY: Final = r"^[A-Z][A-Za-z0-9_]+$"
UPPER: Final = re.compile(KEY)
INNER: Final = rf"(?s)^(?P<outer>.*?)(?:(?:^|\s|:)(?P<sequence>\d+): )?(?P<time>{header.TIME}) ?:?\s*$"
LATE: Final = (  # a time stands last: nothing else may be one of the device's behind a relay's
    r"(?:\d\d:\d\d(?:[.,]\d+)?(?: \d{4})?(?: ?(?:Z|[A-Z]{3,4}(?:[+-]\d+(?::\d\d)?)?|[+-]\d\d(?::?\d\d)?))?"
    r"|\d{10}(?:\.\d+)?)"
    r" ?:?\s*$"
)
ALONE: Final = (  # <165>7433: rt01: 007439: Jan  5 08:15:00.123 UTC:
    r"^(?:<(?P<priority>\d{1,3})>)?(?:: )?(?:(?P<count>\d+): )?(?:(?P<hostname>[A-Za-z][\w.-]*): )?"
    rf"(?:(?P<sequence>\d+): )?(?P<timestamp>{header.TIME}) ?:?\s*$"
)
RELAYED: Final = (  # <187>Jan  5 08:15:00 rt01 7433: Jan  5 08:15:00.123:
    r"^(?:<(?P<priority>\d{1,3})>)?"
    rf"(?:{header.TIME}) (?P<hostname>[A-Za-z0-9][\w.-]*) (?:(?P<sequence>\d+): )?(?P<timestamp>{header.TIME}) ?:?\s*$"
)
OWN: Final = ("facility", "sub_facility", "severity", "mnemonic", "repeats", "text")


@dataclass(frozen=True, slots=True)
class Cisco:
    """Reads the header and the `%…:` of messages."""

    name: ClassVar[str] = "cisco"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = first_fit(original, (MESSAGE,), None if wanted is None else {*wanted, "head", "text"})
        plain = frame["head"].is_null()
        head = frame["head"]
        made = {name: frame[name] for name in OWN}
        if plain.any():
            rest = groups(original.set(~plain, None), PLAIN)
            head = pl.select(pl.coalesce(head, rest["head"])).to_series()
            made["text"] = pl.select(pl.coalesce(made["text"], rest["text"])).to_series()
        made |= self._pairs(made["text"], wanted)
        made |= self._header(head)
        names = list(made) if wanted is None else sorted(wanted)
        error = pl.select(pl.when(made["text"].is_null()).then(pl.lit("no message of a Cisco device"))).to_series()
        columns = [made[name].alias(name) if name in made else nulls(name, original.len()) for name in names]
        return pl.DataFrame([*columns, error.alias(ERROR)])

    def _pairs(self, text: pl.Series, wanted: frozenset[str] | None) -> dict[str, pl.Series]:
        if wanted is not None and not any(map(UPPER.match, wanted)):
            return {}
        rows = text.str.contains(PAIRS).fill_null(value=False).arg_true()
        cut = pl.DataFrame([rows.alias("row"), text.gather(rows).str.split(", ").alias("pair")]).explode("pair")
        found = cut.with_columns(pl.col("pair").str.splitn(": ", 2).struct.rename_fields(["key", "value"]))
        found = found.unnest("pair").filter(pl.col("key").str.contains(KEY))
        found = found if wanted is None else found.filter(pl.col("key").is_in(wanted))
        return pairs.columns(found.with_columns(pl.col("value").str.strip_chars()), text.len())

    def _header(self, head: pl.Series) -> dict[str, pl.Series]:
        """Split the header: nearly always the device's alone."""
        late = head.str.contains(LATE).fill_null(value=False)
        alone = fit(head if late.all() else head.set(~late, None), (ALONE, RELAYED)).columns
        left = alone["timestamp"].is_null().arg_true()
        made = {
            "sequence": pl.coalesce("sequence", "count"),
            "timestamp": pl.col("timestamp").str.strip_chars_start("*."),
            **dict.fromkeys(("program", "pid"), pl.lit(None, pl.String)),
        }
        found = alone.select(made.get(name, pl.col(name)).alias(name) for name in header.PARTS)
        if left.len():
            found = scatter(found, left, _relayed(head.gather(left), late.gather(left)))
        return {f"syslog_{part.name}": part for part in found}


def _relayed(head: pl.Series, late: pl.Series) -> pl.DataFrame:
    """Split headers before which a relay may have put its own."""
    if not late.any():
        return header.split(head)
    inner = head.str.extract_groups(INNER).struct.unnest()  # no place is ruled out early: Polars is faster here
    outer = header.split(pl.select(pl.coalesce(inner["outer"], head)).to_series())
    return outer.with_columns(
        pl.coalesce(inner["time"].str.strip_chars_start("*."), "timestamp").alias("timestamp"),
        pl.coalesce(inner["sequence"], "sequence").alias("sequence"),
    )
