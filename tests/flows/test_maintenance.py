"""Maintenance windows as people write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detectors.errors import UsageError
from flows import maintenance
from flows.cli import main
from tests.flows.guesses import lay_out

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
GOOD = """maintenance:
  - name: Patches
    begin: 2026-03-09T07:00
    end: 2026-03-09 08:05:00
    hosts: [Web*]
    every: week
"""


def test_a_window_is_read_in_the_zone_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "m.yml"
    path.write_text(GOOD + "  - {name: All, begin: '2026-03-09T00:00Z', end: '2026-03-09T01:00Z', everything: true}\n")
    calendar, faults = maintenance.read(path, HOME)
    patches, everything = calendar.windows
    assert faults == ()
    assert (patches.begin, patches.end) == (datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 9, 1, 5, tzinfo=UTC))
    assert patches.hosts == ("web*",)
    assert everything.begin == patches.begin


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("end: 2026-03-09 08:05:00", "end: 2026-03-08", "m.yml:2:5: maintenance: `end` is not after `begin`"),
        ("end: 2026-03-09 08:05:00", "end: 2027-03-09", "longer than 31 days: write an exception instead"),
        ("end: 2026-03-09 08:05:00", "end: 2026-03-19", "longer than the week after which it comes again"),
        ("end: 2026-03-09 08:05:00", "end: 9999-03-19", "a time outside of 1970 to 2199"),
        ("    hosts: [Web*]\n", "", "name `rules`, `hosts` or `organisations`, or write `everything: true`"),
        ("hosts:", "host:", "m.yml:5:5: maintenance: `host` is not known there; did you mean `hosts`?"),
        (
            "begin: 2026-03-09T07:00",
            "begin: soon",
            "m.yml:3:12: maintenance: `begin` can't be 'soon'; write a time: 2026",
        ),
        (
            "    hosts: [Web*]",
            "    hosts: Web*",
            "m.yml:5:12: maintenance: `hosts` can't be 'Web*'; write a list of names",
        ),
        ("  - name: ", "  - nane: ", "maintenance: `name` is missing; write what happens"),
        ("maintenance:", "windows:", "m.yml:1:1: no list of windows; start with `maintenance:`"),
    ],
)
def test_a_wrong_window_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yml").write_text(GOOD.replace(old, new) + "  - {name: b, begin: 2026-03-09, end: 2026-03-10, rules: [x]}\n")
    calendar, (fault,) = maintenance.read(Path("m.yml"), HOME)
    assert told in str(fault)
    assert [window.name for window in calendar.windows] == ([] if "windows:" in new else ["b"])


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        maintenance.read(tmp_path / "none.yml", HOME)


def test_matches_in_maintenance_are_kept_without_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    Path("m.yml").write_text(GOOD)
    Path("soc.yml").write_text("maintenance: m.yml\n")
    arguments = ["scan", "logs", "--rules", "rules", "--year", "2026", "--stats", "s.json", "--out", "f.ndjson"]
    assert main(arguments) == 0
    (finding,) = map(json.loads, Path("f.ndjson").read_text().splitlines())
    assert finding["soc"]["count"] == 5  # of ten, from 08:05 on
    assert json.loads(Path("s.json").read_text())["silenced"] == {"maintenance: Patches": 5}
    assert "5 matches without a finding: maintenance: Patches" in capsys.readouterr().err
