"""The debug log of Windows' DNS server: dates of every region, names in the usual form."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.keyvalue import KeyValue
from connectors.formats.windows_dns import WindowsDns

PACKET = " 0E70 PACKET  01B6D4E42D40 UDP Rcv 192.0.2.7 4b2c   Q [0001   D   NOERROR] A      (3)www(7)example(0)"


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("3/2/2026 8:15:00 AM", "2026-03-02 08:15:00"),
        ("3/2/2026 12:15:00 AM", "2026-03-02 00:15:00"),
        ("3/2/2026 12:15:00 PM", "2026-03-02 12:15:00"),
        ("02/03/2026 20:15:00", "2026-03-02 20:15:00"),
        ("3/13/2026 20:15:00", "2026-03-13 20:15:00"),
        ("13/3/2026 8:15:00 PM", "2026-03-13 20:15:00"),
        ("02.03.2026 20:15:00", "2026-03-02 20:15:00"),
        ("2026-03-02 20:15:00", "2026-03-02 20:15:00"),
    ],
)
def test_dates_read_as_the_region_of_the_server_writes_them(date: str, told: str) -> None:
    frame = WindowsDns().parse(pl.Series([date + PACKET, "Message logging key"]), None)
    assert frame["timestamp"].to_list() == [told, None]
    assert frame["name"].to_list() == ["www.example", None]
    assert frame["error.message"].is_null().to_list() == [True, False]


def test_keys_may_hold_blanks_where_a_format_says_so() -> None:
    line = pl.Series(["Local Host IP: 192.0.2.7,File size (bytes): 3,X: "])
    frame = KeyValue(equals=":", separator=",", quotes="", blanks=True).parse(line, None)
    assert frame.row(0, named=True) | {"error.message": None} == frame.row(0, named=True)
    assert frame["Local Host IP"].to_list() == ["192.0.2.7"]
    assert frame["File size (bytes)"].to_list() == ["3"]
