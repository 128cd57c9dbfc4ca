"""The registry: what people write, and what they get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import registry
from connectors.registry.models import Table


def faults(tmp_path: Path, text: str, name: str = "reg.yml") -> str:
    path = tmp_path / name
    path.write_text(text)
    return "\n".join(map(str, registry.read([path]).faults)).replace(f"{tmp_path}/", "")


def test_the_province_has_its_units() -> None:
    units = {unit.code: unit for unit in registry.read().units}
    communes = [unit for unit in units.values() if unit.kind in {"xã", "phường"}]
    assert len(communes) == 135
    assert sum(unit.kind == "phường" for unit in communes) == 25
    assert units["H21.106"].name == "UBND phường Pleiku"
    assert units["H08"].becomes == "H21"


def test_files_and_folders_and_tables_are_read(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("units:\n  - {code: H21.09.01, name: DTC, networks: [10.9.1.0/24]}\n")
    (tmp_path / "users.csv").write_text("name,unit,kind,from,to\nlan,H21.09.01,staff,,2026-06-30\nan,,,,\n")
    found = registry.read([tmp_path])
    assert [(net.unit, str(net.network)) for net in found.networks] == [("H21.09.01", "10.9.1.0/24")]
    assert [(user.name, user.unit) for user in found.users] == [("lan", "H21.09.01"), ("an", None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("units: [{code: h21, name: X}]", "reg.yml:1:10: 'h21' is no code of an organisation; write it as H21.09"),
        (
            "networks:\n  - {network: 10.52.9.1/24, unit: H21.09}",
            "reg.yml:2:6: '10.52.9.1/24' is no network but an address in one; did you mean 10.52.9.0/24?",
        ),
        ("users:\n  - {name: lan, unit: H21.90}", "reg.yml:2:5: 'H21.90' is no unit of the registry; did you mean"),
        (
            "networks:\n  - {network: 10.0.0.0/8, unit: H21.09, to: 2025-12-31}\n"
            "  - {network: 10.0.0.0/8, unit: H21.11, from: 2025-12-31}",
            "reg.yml:3:5: 10.0.0.0/8 stands in networks already, at reg.yml:2:5, for some of these days",
        ),
        (
            "units:\n  - {code: A01, name: X, becomes: A02, to: 2025-01-01}\n  - {code: A02, name: Y, becomes: A01}",
            "reg.yml:2:5: A01 becomes itself in the end",
        ),
        ("users:\n  - {name: lan, from: 2026-02-01, to: 2026-01-01}", "it ends on 2026-01-01, before it begins"),
        ("units:\n  - {code: A01, name: X, parent: A01}", "reg.yml:2:5: A01 stands above itself in the end"),
        ("assets:\n  - {host: a, system: b}", "reg.yml:2:5: 'b' is no system of the registry; write the `id`"),
        ("user: []", "reg.yml:1:1: 'user' is no section of a registry; did you mean `users`?"),
        ("assets:\n  - {role: web}", "an asset needs `host` or `ip`"),
        (
            "assets:\n  - {host: a, criticality: huge}",
            "reg.yml:2:15: criticality: 'huge' is none of 'low', 'medium', 'high' or",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert told in faults(tmp_path, text)


def test_a_table_tells_its_line(tmp_path: Path) -> None:
    assert "users.csv:3:1: 'H21.90' is no unit" in faults(tmp_path, "name,unit\nlan,H21.09\nan,H21.90\n", "users.csv")


def test_a_table_with_headings_of_somebody_else_is_read_as_it_is_told_to_be(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("mã,tên,ghi chú,hiệu lực\nH21,UBND tỉnh,x,2025-07-01\nH21.09,Sở KH&CN,y,\n", "utf-8")
    columns = {"code": "mã", "name": "tên", "from": "hiệu lực"}
    read = registry.read([Table(file, "units", columns)], built_in=False)
    assert [(unit.code, unit.name, str(unit.since)) for unit in read.units] == [
        ("H21", "UBND tỉnh", "2025-07-01"),
        ("H21.09", "Sở KH&CN", "None"),
    ]
    for wrong, told in (({"code": "ma"}, "no heading 'ma'; its headings are mã,"), ({"cod": "mã"}, "'cod' is no key")):
        (fault,) = registry.read([Table(file, "units", wrong)], built_in=False).faults
        assert told in str(fault)


def test_what_is_wrong_with_headings_is_told_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "code,tên\n" + "H21,x\n" * 200, "units.csv")
    assert "units.csv:1:1: unknown headings 'tên'; known are aliases," in told
    assert "\n" not in told
    assert "section: units" in faults(tmp_path, "code,name\n", "official.csv")


def test_what_is_wrong_costs_its_row_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("users:\n  - {name: lan}\n  - {name: an, unit: H21.90}\n  - {name: lan, kind: x}\n")
    (tmp_path / "users.csv").write_text("name,unit\nbo,H21.09\nmai,XX\n")
    (tmp_path / "networks.csv").write_text("network\n10.0.0.0/8\n")
    found = registry.read([tmp_path])
    assert [user.name for user in found.users] == ["lan", "bo"]
    assert len(found.faults) == 4
    assert len(found.units) > 140


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'name,unit\nlan,H21.09\n"an,H21.09\nbo,H21.09\n', "users.csv:3:1: from here on it is no table"),
        (b"name,unit\nlan,H21.09,x\n", "users.csv:2:1: 3 cells under 2 headings"),
        (b"name,unit\nlan\n", "users.csv:2:1: 1 cells under 2 headings"),
        (b"name,unit\nlan,\nNguy\xean,H21.09\n", "users.csv:3:1: is not in UTF-8; save it as `CSV UTF-8`"),
        (b"", "users.csv: is empty; write the headings"),
    ],
)
def test_no_row_of_a_broken_table_is_lost_in_silence(tmp_path: Path, text: bytes, told: str) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(text)
    (fault,) = registry.read([path]).faults
    assert told in str(fault)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "users.csv"
    rows = [["name", "unit", "kind"], ["lannt", "H21.106", '"a\nb"'], ["an", "", ""]]
    path.write_text("\r\n".join(map(separator.join, rows)) + "\r\n", "utf-8-sig", newline="")
    found = registry.read([path])
    assert not found.faults
    assert [(user.name, user.unit, user.kind) for user in found.users] == [
        ("lannt", "H21.106", "a\nb"),
        ("an", None, "staff"),
    ]
