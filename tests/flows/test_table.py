from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import polars as pl

from detectors.schema import FINDING
from flows.table import grouped, print_findings
from tests.sample_findings import START, finding, frame, province


def _printed(findings: pl.DataFrame, *, rows: int = 20, width: int = 80) -> list[str]:
    out = StringIO()
    print_findings(findings, out, rows=rows, width=width)
    return out.getvalue().splitlines()


def _hit(level: str, rule: str, host: str, count: int = 1, hours: int = 0) -> dict[str, object]:
    time = START + timedelta(hours=hours)
    changes = {"soc.level": level, "rule.id": rule, "rule.name": rule, "host.name": [host], "soc.count": count}
    return finding(**changes, **{"@timestamp": time, "event.id": f"{rule}{host}{hours}"})


def test_the_most_severe_stands_first_and_windows_of_one_rule_and_host_are_one_row() -> None:
    rows = (_hit("low", "scan", "web"), _hit("critical", "wipe", "dc"), _hit("low", "scan", "web", 4, 5))
    found = grouped(frame(*rows))
    assert found.select("soc.level", "where", "findings", "matches").rows() == [
        ("critical", "dc", 1, 1),
        ("low", "web", 2, 5),
    ]
    assert found["last"][1] - found["first"][1] == timedelta(hours=5)


def test_matches_that_came_later_are_counted_too() -> None:
    later = frame(_hit("high", "a", "dc01", 2), _hit("high", "a", "dc01", 3)).with_columns(
        pl.Series("soc.matches", [40, None], pl.Int64)
    )
    assert grouped(later)["matches"].to_list() == [43]


def test_it_fits_80_columns_and_keeps_every_column_readable() -> None:
    lines = _printed(province())
    assert max(len(line) for line in lines) <= 80
    assert lines[0].split() == ["Level", "Rule", "Where", "Count", "First", "Last"]
    assert any(line.startswith("critical Ransomware") for line in lines)


def test_levels_are_summed_up_below() -> None:
    lines = _printed(frame(_hit("high", "a", "x", 2), _hit("high", "b", "x", 3), _hit("medium", "c", "x")))
    assert lines[-2:] == [
        "high           2 findings of 2 rules, 5 matches",
        "medium         1 finding of 1 rule, 1 match",
    ]


def test_matches_that_came_with_later_batches_count() -> None:
    told = frame(_hit("high", "a", "x", 2), _hit("high", "b", "x", 3)).with_columns(pl.Series("soc.matches", [9, 1]))
    assert grouped(told)["matches"].to_list() == [9, 3]


def test_what_is_left_out_is_said() -> None:
    lines = _printed(frame(*(_hit("low", f"rule {n}", "x") for n in range(30))), rows=10)
    assert "and 20 more rows" in lines
    assert sum(line.startswith("low      rule") for line in lines) == 10


def test_no_terminal_gets_no_escape_codes_and_hostile_text_gets_none_through() -> None:
    hostile = finding(**{"rule.name": "[red]\x1b[2J :skull:", "soc.group": "user.name=\u202eevil\n", "soc.count": 1})
    text = "\n".join(_printed(frame(hostile), width=160))
    assert r"[red]\x1b[2J :skull:" in text
    assert r"user.name=\u202eevil\n" in text
    assert "\x1b" not in text


def test_no_findings_is_a_sentence() -> None:
    assert _printed(FINDING.to_frame()) == ["No findings."]


def test_impossible_times_and_unknown_levels_cost_only_themselves() -> None:
    beyond = pl.Series([253402300800000000], dtype=pl.Int64).cast(FINDING["@timestamp"])  # the year 10000
    odd = frame(_hit("odd", "a", "x")).with_columns(beyond.alias("@timestamp"))
    late = frame(finding(**{"@timestamp": datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "soc.level": None}))
    lines = _printed(pl.concat([odd, late]))
    assert any(line.startswith("odd") and line.rstrip().endswith("—") for line in lines)
    assert any("31/12 23:59" in line for line in lines)
