"""`soc sources`: what people see of source definitions."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from connectors import definitions
from connectors.definitions import BUILT_IN, load_definition
from flows.cli import main

LINES = """{"ts":"2026-11-20T08:15:00+07:00","canbo":"lannt","ip":"10.52.9.14","hanhdong":"xem","cccd":"064199001234"}
{"ts":"2026-11-20T08:15:10+07:00","canbo":"minhtv","ip":"10.52.9.15","hanhdong":"sua","cccd":"052188003214"}
"""
VALUES = "".join(f"2026-11-20 08:15:0{n};lannt;10.52.9.14;091234567{n}\n" for n in range(5))
SHOP = """name: shop
title: A shop
format: ndjson
timestamp: t
fields: {user.name: u}
columns: [t, u, Image]
logsource: {product: windows, category: process_creation}
samples:
  - {input: '{"t": "2026-01-01T00:00:00Z", "u": "lan"}', expected: {user: {name: lan}, source.ip: null}}
  - {input: '{"t": "2026-01-01T00:00:00Z", "u": "an"}', expected: {user.name: lan}}
"""
RULE = """title: An odd hash
id: 00000000-0000-4000-8000-00000000000a
level: high
logsource: {product: windows, category: process_creation}
detection: {sel: {Hashes|contains: a}, condition: sel}
"""
LIVE = RULE.replace("0a", "0b").replace("Hashes", "Image").replace("An odd hash", "An odd image")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    few = tmp_path / "built_in"  # all of them take long to read
    few.mkdir()
    for name in ("hotline_1022", "portal", "json", "application_audit"):
        shutil.copy(BUILT_IN / f"{name}.yml", few)
    monkeypatch.setattr(definitions, "BUILT_IN", few)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yml").write_text(SHOP)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "blind.yml").write_text(RULE)
    (tmp_path / "rules" / "live.yml").write_text(LIVE)
    (tmp_path / "soc.yml").write_text(
        "own_rules: false\nrules: [rules]\nsources: [sources]\nletter: {unit: Phòng A05, contact: Nguyễn Văn A}\n"
    )
    return tmp_path


def test_the_operators_own_definitions_are_listed_with_what_rules_see(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sources", "list", "--json"]) == 0
    listed = {row["name"]: row for row in orjson.loads(capsys.readouterr().out)}
    assert (listed["shop"]["live"], listed["shop"]["blind"]) == (1, 1)
    assert listed["hotline_1022"]["criticality"] == "high"
    assert main(["sources", "list"]) == 0
    assert "windows/process_creation" in capsys.readouterr().out
    assert site.is_dir()


@pytest.mark.usefixtures("site")
def test_check_names_the_field_that_rules_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "check", "shop"]) == 0
    told = capsys.readouterr().out
    assert "1 rule live" in told
    assert "Hashes: 1 high, such as 'An odd hash'" in told


@pytest.mark.usefixtures("site")
def test_the_letter_is_dated_and_asks_for_the_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "check", "shop", "--letter", "--to", "UBND phường Pleiku"]) == 0
    told = capsys.readouterr().out
    assert "Kính gửi: UBND phường Pleiku" in told
    assert "Trường “Hashes”" in told
    assert "Sysmon" in told
    assert "An odd hash" in told
    assert "Phòng A05" in told
    assert "[số điện thoại]" in told
    assert "tháng" in told


def test_logs_tell_what_events_really_have(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = site / "shop.log"
    logs.write_text('{"t": "2026-01-01T00:00:00Z", "u": "lan"}\n')  # no Image: the other rule is blind as well
    assert main(["sources", "check", "shop", "--logs", str(logs)]) == 0
    told = capsys.readouterr().out
    assert "0 rules live, judged by 1 events" in told
    assert "Image: 1 high" in told


@pytest.mark.usefixtures("site")
def test_a_sample_that_fails_is_told_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "test", "shop"]) == 3
    out, err = capsys.readouterr()
    assert out == 'shop sample 2: user.name is "an", expected "lan"\n'
    assert "2 samples, 1 failed" in err


def test_a_proposal_is_a_definition_that_finds_time_people_and_personal_data(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "dancu.log").write_text(LINES)
    assert main(["sources", "new", "dancu.log", "--into", "made"]) == 0
    made = load_definition(site / "made" / "dancu.yml")
    assert made.format == "ndjson"
    assert made.timestamp == ("ts",)
    assert made.fields["user.name"][0].columns == ("canbo",)
    assert made.fields["source.ip"][0].columns == ("ip",)
    assert made.personal == ("cccd",)
    assert made.entity == ("user.name", "source.ip")
    assert "soc sources check" in capsys.readouterr().err


def test_a_proposal_tells_how_things_ended_in_the_words_of_the_log(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("10.0.0.7", "DANG_NHAP", "THANH_CONG"), ("10.0.0.8", "DANG_NHAP", "THAT_BAI")]
    (site / "kiosk.log").write_text("".join(f"2026-03-02 08:15:0{n}|{'|'.join(row)}\n" for n, row in enumerate(rows)))
    assert main(["sources", "new", "kiosk.log"]) == 0
    assert (
        "event.outcome: {columns: column_4, otherwise: unknown, values: {THANH_CONG: success, THAT_BAI: failure}}"
        in (capsys.readouterr().out)
    )


def test_a_proposal_for_values_between_separators_tells_a_zone_to_ask_for(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "kiosk.csv").write_text(VALUES)
    assert main(["sources", "new", "kiosk.csv"]) == 0
    text = capsys.readouterr().out
    assert "zone: Asia/Ho_Chi_Minh" in text
    assert "source.ip: column_3" in text
    assert "personal: [column_4]" in text


def test_a_wrong_definition_is_told_with_line_and_nearest_name(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = site / "wrong.yml"
    wrong.write_text("name: x\ntitle: y\nformat: access\nentity: [host.name]\npersonal: [cs-usernam]\n")
    assert main(["sources", "check", str(wrong)]) == 2
    told = capsys.readouterr().err
    assert "wrong.yml:4:10: no event of this source has the entity column 'host.name'" in told
    assert "wrong.yml:5:12: 'cs-usernam' is no own column of this source; did you mean `cs-username`?" in told


@pytest.mark.usefixtures("site")
def test_an_unknown_source_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "check", "portl"]) == 2
    assert "`portal`" in capsys.readouterr().err


def test_the_samples_of_all_definitions_hold() -> None:
    assert main(["sources", "test"]) == 0
