"""What a rule would have found in the archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flows.authoring.conftest import Soc

LINE = '{{"time": "2026-03-{:02d}T{:02d}:00:00+07:00", "user": "{}", "action": "open", "result": "ok", "unit": "{}"}}\n'
RULE = """title: Ticket opened
id: 00000000-0000-4000-8000-000000000001
level: medium
logsource: {product: gialai, service: hotline_1022}
detection: {selection: {user: lan}, condition: selection}
"""
OFTEN = """title: Opened twice
id: 00000000-0000-4000-8000-000000000002
correlation:
    type: event_count
    rules: 00000000-0000-4000-8000-000000000001
    group-by: user.name
    timespan: 3h
    condition: {gte: 2}
"""


@pytest.fixture
def archive(soc: Soc, tmp_path: Path) -> Path:
    """Return a rule's file beside an archive of two days and two units."""
    lines = [
        LINE.format(day, hour, user, f"unit {day % 2}")
        for day in (9, 10)
        for hour in (8, 10)
        for user in ("lan", "minh")
    ]
    (tmp_path / "hotline_1022.log").write_text("".join(lines))
    (tmp_path / "r.yml").write_text(RULE)
    soc("scan", "hotline_1022.log", "--rules", "r.yml", "--keep", "--no-anomaly")
    return tmp_path / "r.yml"


def test_matches_by_day_source_and_organisation(soc: Soc, archive: Path) -> None:
    code, out, err = soc("rules", "try", archive, "--since", "2026-03-01", "--json")
    assert code == 0
    told = json.loads(out)
    found = told["rules"]["00000000-0000-4000-8000-000000000001"]
    assert (told["events"], told["days"]) == ({"hotline_1022": 8}, 2)
    assert (found["matches"], found["findings"], found["findings_per_day"]) == (4, 2, 1.0)
    assert found["by_day"] == [
        {"day": "2026-03-09", "source": "hotline_1022", "organisation": "unit 1", "matches": 2},
        {"day": "2026-03-10", "source": "hotline_1022", "organisation": "unit 0", "matches": 2},
    ]
    assert len(found["examples"]) == 3
    assert "8 events of 2 days" in err


def test_words_show_a_bar_for_each_day(soc: Soc, archive: Path) -> None:
    out = soc("rules", "try", archive, "--since", "2026-03-10")[1].splitlines()
    assert out[0] == "Ticket opened (medium): 2 matches in 1 findings, 1.00 a day"
    assert out[1].startswith("  2026-03-10  hotline_1022   unit 0")
    assert "▇" in out[1]


def test_a_correlation_is_counted_and_its_rules_make_no_findings(soc: Soc, archive: Path) -> None:
    (archive.parent / "often.yml").write_text(OFTEN)
    told = json.loads(soc("rules", "try", "often.yml", "--rules", archive, "--since", "2026-03-01", "--json")[1])
    often, opened = (told["rules"][f"00000000-0000-4000-8000-00000000000{number}"] for number in (2, 1))
    assert (often["matches"], often["findings"]) == (4, 2)
    assert [cell["day"] for cell in often["by_day"]] == ["2026-03-09", "2026-03-10"]
    assert often["examples"] == [{"source": "hotline_1022", "record": "user.name=lan"}] * 2
    assert (opened["matches"], opened["findings"]) == (4, 0)


def test_a_rule_that_finds_nothing_says_so(soc: Soc, archive: Path) -> None:
    archive.write_text(RULE.replace("lan", "nobody"))
    assert soc("rules", "try", archive, "--since", "2026-03-01")[1] == "no match: Ticket opened\n"


def test_a_time_without_events_is_told(soc: Soc, archive: Path) -> None:
    assert "--since 2000-01-01 asks all" in soc("rules", "try", archive, "--since", "2031-01-01")[2]


def test_nothing_is_stored(soc: Soc, archive: Path) -> None:
    before = soc("findings", "list", "--ids")[1]
    archive.write_text(RULE.replace("000000000001", "000000000002"))
    soc("rules", "try", archive, "--since", "2026-03-01")
    assert soc("findings", "list", "--ids")[1] == before


def test_an_empty_archive_is_a_usage_error(soc: Soc, rule: Path) -> None:
    assert soc("rules", "try", rule)[0] == 2
