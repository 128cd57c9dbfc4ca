"""Personal data through a whole scan: tokens in store and archive, a reveal for two, a hint at what nobody marked."""

from __future__ import annotations

import io
import re
from pathlib import Path

import polars as pl
import pytest

from connectors.definitions import load_definitions
from connectors.privacy import audit, vault
from detectors.schema import RECORD
from flows import protecting, settings
from flows.cli import main
from flows.commands import reveal
from flows.protecting import Watch

RULE = """title: A call
id: 00000000-0000-4000-8000-00000000000c
level: low
logsource: {product: gialai, category: application, service: hotline_1022}
detection: {sel: {action: login}, condition: sel}
"""
LINE = '{"time":"2026-11-20T08:15:00+07:00","user":"dtv01","action":"login","phone":"0912345678","ip":"192.0.2.7"}'
WORDS = "correct horse battery\nstaple battery horse\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vault, "COST", 1 << 4)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "call.yml").write_text(RULE)
    (tmp_path / "hotline.log").write_text(f"{LINE}\nbroken {{0912345678\n")
    (tmp_path / "soc.yml").write_text("own_rules: false\nrules: [rules]\nprivacy: {protect: true}\n")
    return tmp_path


def say(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(words))


def test_a_number_is_nowhere_in_the_clear_and_two_people_get_it_back(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(monkeypatch, WORDS)
    assert main(["privacy", "setup", "--custodian", "lan", "--custodian", "minh"]) == 0
    assert main(["scan", "hotline.log", "--source", "hotline_1022", "--keep", "--out", "found.ndjson"]) == 3
    found = (site / "found.ndjson").read_text()
    tokens = set(re.findall(r"pd_k1_[a-z2-7]{26}", found))
    assert len(tokens) == 1
    kept = [path for path in site.rglob("*") if path.is_file() and path != site / "hotline.log"]
    assert not [path for path in kept if b"0912345678" in path.read_bytes()]
    archived = pl.read_parquet(list((site / ".soc" / "archive").rglob("*.parquet")))
    assert tokens.pop() in archived["event.original"][0]

    capsys.readouterr()
    token = re.findall(r"pd_k1_[a-z2-7]{26}", found)[0]
    why = ["--reason", "VV-2026-17"]
    say(monkeypatch, WORDS)
    assert main(["reveal", token, "--person", "lan", "--second", "minh", *why]) == 0
    assert capsys.readouterr().out == "0912345678\n"
    say(monkeypatch, "correct horse battery\nwrong\n")
    assert main(["reveal", token, "--person", "lan", "--second", "minh", *why]) == 2
    assert main(["reveal", token, "--person", "lan", "--second", "lan", *why]) == 2
    assert main(["reveal", token, "--person", "lan", "--second", "minh"]) == 2
    log = (site / ".soc" / "privacy" / "audit.ndjson").read_text()
    assert re.findall(r'"action":"(\w+)"', log) == ["asked", "revealed", "asked", "refused"]
    assert "0912345678" not in log
    assert main(["reveal", "--verify"]) == 0
    assert main(["privacy", "rotate"]) == 0
    assert main(["privacy", "check"]) == 0
    assert main(["privacy", "tokens", "--person", "lan"]) == 2
    capsys.readouterr()
    say(monkeypatch, "0912345678\n")
    assert main(["privacy", "tokens", "--person", "lan", *why]) == 0
    old, new = capsys.readouterr().out.splitlines()
    assert (old, new[:6]) == (token, "pd_k2_")
    log = (site / ".soc" / "privacy" / "audit.ndjson").read_text()
    assert '"action":"looked up"' in log
    assert "0912345678" not in log
    assert main(["reveal", "--verify"]) == 0
    assert main(["privacy", "check"]) == 0
    assert "2 keys, the last is k2" in capsys.readouterr().out


@pytest.mark.usefixtures("site")
def test_without_keys_nothing_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "hotline.log", "--source", "hotline_1022"]) == 2
    assert "there is no key file; make it: soc privacy setup" in capsys.readouterr().err


def test_nothing_is_shown_that_could_not_be_recorded(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, WORDS)
    assert main(["privacy", "setup", "--custodian", "lan", "--custodian", "minh"]) == 0
    where = protecting.places(settings.load(site / "soc.yml"))
    where.audit.write_text("{}\n")
    monkeypatch.setattr(reveal, "passphrase", lambda _: pytest.fail("asked though the record is broken"))
    token = "pd_k1_" + "a" * 26
    assert main(["reveal", token, "--person", "lan", "--second", "minh", "--reason", "VV-2026-17"]) == 3
    assert not audit.FIRST.strip("0")


def test_a_scan_tells_of_numbers_that_nobody_marked(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "soc.yml").write_text("own_rules: false\nrules: [rules]\n")
    (site / "web.log").write_text(
        '192.0.2.7 - - [20/Nov/2026:08:15:00 +0700] "GET /tra-cuu?cccd=064199001234 HTTP/1.1" 200 5 "-" "x"\n'
    )
    assert main(["scan", "web.log", "--source", "nginx"]) == 0
    told = capsys.readouterr().err
    assert "personal data in nginx: numbers of citizens, such as 064***34; name their columns under `personal`" in told


def test_a_source_is_looked_at_first_and_whenever_its_records_have_doubled() -> None:
    definition = load_definitions()["nginx"]
    watch, looked = Watch(), []
    for number in range(40):
        watch.told.clear()
        records = pl.DataFrame([(f"cccd 06419900{number:04d}", 0, 0)] * 10, schema=RECORD, orient="row")
        if watch.look(definition, records):
            looked.append(number)
    assert looked == [0, 2, 6, 14, 30]
