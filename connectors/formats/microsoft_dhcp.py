r"""Audit log of the DHCP server of Windows (DhcpSrvLog-Mon.log), whose times put the month first.

    10,03/02/26,08:15:00,Assign,192.0.2.10,pc-lan.example.com,000000000000,,17739,0,,,,0x4D53465420352E30,MSFT 5.0,,,,0

Own columns: the fields below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import Fitted

LINE: Final = (
    r"^(?P<code>\d{2,5}),(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d\d),(?P<clock>\d\d:\d\d:\d\d),(?P<description>[^,]*)"
    r"(?:,(?P<ip>[^,]*))?(?:,(?P<host>[^,]*))?(?:,(?P<mac>[^,]*))?(?:,(?P<user>[^,]*))?(?:,(?P<transaction>[^,]*))?"
    r"(?:,(?P<result>[^,]*))?"
)


@dataclass(frozen=True, slots=True)
class MicrosoftDhcp(Fitted):
    """Reads DhcpSrvLog; the explanations at its head are no events."""

    name: ClassVar[str] = "microsoft_dhcp"
    patterns: ClassVar[Sequence[str]] = (LINE,)
    needs: ClassVar[Mapping[str, Sequence[str]]] = {
        "timestamp": ("year", "month", "day", "clock"),
        "mac_address": ("mac",),
    }
    key: ClassVar[str] = "code"
    reason: ClassVar[str] = "no event of the DHCP server: its fields are code,date,time,description,…"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        date = pl.concat_str(pl.lit("20"), "year", pl.lit("-"), "month", pl.lit("-"), "day", pl.lit(" "), "clock")
        address = pl.col("mac").str.replace(r"^(..)(..)(..)(..)(..)(..)$", "$1-$2-$3-$4-$5-$6")
        return frame.with_columns(
            timestamp=date,
            mac_address=pl.when(pl.col("mac").str.contains(r"^[0-9A-Fa-f]{12}$")).then(address),
        ).drop("year", "month", "day", "clock")
