"""Weeks of lines in a file are history enough; a day is not, and is left alone."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest

from flows import cli
from tests.flows.anomaly.hotline import write


def test_a_scan_tells_what_is_strange_in_weeks_of_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log = write(tmp_path)
    words = ["scan", str(log), "--source", "hotline_1022", "--rules", str(tmp_path / "none"), "--out", "f.ndjson"]
    (tmp_path / "none").mkdir()
    assert cli.main([*words, "--report", "r.html", "--lang", "vi"]) == 0
    found = [orjson.loads(line) for line in (tmp_path / "f.ndjson").read_bytes().splitlines()]
    (night,) = [each for each in found if "agent07" in each["message"]]
    assert night["rule"]["id"] == "anomaly.records"
    assert night["soc"]["anomaly"]["features"][0]["usual"] == [0.0, 0.0]
    assert len(night["soc"]["evidence"]) == 5
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "lần xuất hoặc tải về" in page
    assert '<figure class="history">' in page
    assert night["rule"]["name"] == "Bất thường: thao tác với hồ sơ"
    assert cli.main([*words, "--no-anomaly"]) == 0
    assert (tmp_path / "f.ndjson").read_bytes() == b""

    lines = log.read_text().splitlines()
    few = tmp_path / "day.ndjson"
    few.write_text("\n".join(lines[:100]))
    for module in [name for name in sys.modules if name == "flows.anomaly.filescan"]:
        del sys.modules[module]
    assert cli.main(["scan", str(few), *words[2:]]) == 0
    assert "flows.anomaly.filescan" not in sys.modules  # PyOD is not even loaded
    capsys.readouterr()
