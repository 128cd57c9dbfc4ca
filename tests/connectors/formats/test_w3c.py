"""W3C logs: `#Fields:` says what the columns are; without it the layouts of IIS are tried."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.frames import ERROR
from connectors.formats.w3c import LAYOUTS, W3c


def rows(*lines: str, wanted: frozenset[str] | None = None) -> list[dict[str, str | None]]:
    return W3c().parse(pl.Series(lines, dtype=pl.String), wanted).to_dicts()


def test_fields_hold_until_the_next_fields() -> None:
    found = rows(
        "#Fields: date time c-ip sc-status",
        "2026-03-02 08:15:00 192.0.2.7 200",
        "#Fields: date time sc-status c-ip cs(User-Agent)",
        "2026-03-02 08:15:01 404 192.0.2.8 Mozilla/5.0+(X)",
        wanted=frozenset({"timestamp", "c-ip", "sc-status", "cs-user-agent"}),
    )
    assert found[1] == {
        "timestamp": "2026-03-02 08:15:00",
        "c-ip": "192.0.2.7",
        "sc-status": "200",
        "cs-user-agent": None,
        ERROR: None,
    }
    assert (found[3]["c-ip"], found[3]["sc-status"], found[3]["cs-user-agent"]) == (
        "192.0.2.8",
        "404",
        "Mozilla/5.0 (X)",
    )
    assert "directive" in str(found[0][ERROR])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_told_without_its_fields(layout: str) -> None:
    kinds = {"cs-method": "GET", "c-ip": "192.0.2.7", "s-ip": "192.0.2.80", "cs-host": "www.example.com"}
    numbers = {name for name in layout.split() if name.startswith(("sc-", "cs-bytes", "time-", "s-port", "c-port"))}
    values = [kinds.get(name, "5" if name in numbers else "-") for name in layout.split()]
    found = rows("2026-03-02 08:15:00 " + " ".join(values))[0]
    assert found[ERROR] is None
    assert (found["c-ip"], found["cs-method"]) == ("192.0.2.7", "GET")


def test_an_empty_field_between_two_spaces_costs_nothing() -> None:
    found = rows("#Fields: date time s-port cs-username c-ip", "2026-03-02 08:15:00 443  lan 192.0.2.7")
    assert (found[1]["s-port"], found[1]["cs-username"], found[1]["c-ip"]) == ("443", "lan", "192.0.2.7")


@pytest.mark.parametrize("line", ["", "hello", "2026-03-02 08:15:00", "2026-03-02 08:15:00 x y z"])
def test_another_line_is_an_error(line: str) -> None:
    assert rows(line)[0][ERROR]
