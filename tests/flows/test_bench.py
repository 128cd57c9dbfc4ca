"""`soc bench` as its users call it: whole scans, a profile, a flame graph, growth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from detectors.errors import UsageError
from flows.bench.flame import flame
from flows.bench.growth import Sizes, growth
from flows.bench.plots import plots
from flows.bench.work import Work
from flows.cli import main
from tests.flows.guesses import lay_out


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rule and a log of ten failures in fifteen lines."""
    monkeypatch.chdir(tmp_path)
    return lay_out(tmp_path)


def bench(*more: str) -> Any:
    assert main(["bench", "logs", "--rules", "rules", "--out", "figures.json", *more]) == 0
    return json.loads(Path("figures.json").read_text("utf-8"))


def test_whole_scans_are_counted_but_for_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    (counted,) = bench("--runs", "1")
    assert (counted["events"], sum(counted["matches"].values())) == (15, 10)
    shown = capsys.readouterr().out
    assert "15 events, 1 rules, 1 runs" in shown
    assert shown.count("events/s") == 1


def test_a_scan_that_fails_ends_the_measurement(place: Path) -> None:
    (place / "rules" / "guess.yml").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["bench", "logs", "--rules", "nonesuch", "--runs", "1"])
    assert ended.value.code == 2


def test_the_profile_knows_where_the_time_went(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench("--profile")
    assert (found["events"], found["rules"]) == (15, 1)
    assert all(found["stages"][stage] > 0 for stage in ("load rules", "read", "parse", "match", "findings", "sink"))
    assert {"encode", "search", "rule", "route"} <= found["matching"].keys()
    assert [(rule["title"], rule["rows"], rule["matches"]) for rule in found["slowest"]] == [
        ("Password guessed at", 10, 10)
    ]
    assert [field["name"] for field in found["fields"]] != []
    assert "Password guessed at" in capsys.readouterr().out


def test_a_flame_graph_is_a_page_that_names_functions() -> None:
    pytest.importorskip("pyinstrument")
    assert main(["bench", "logs", "--rules", "rules", "--flame", "flame.html"]) == 0
    assert "findings_of" in Path("flame.html").read_text("utf-8")


def test_a_flame_graph_of_an_unknown_kind_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "logs", "--rules", "rules", "--flame", "flame.png"]) == 2
    assert "name a file .html" in capsys.readouterr().err


def test_a_flame_graph_without_its_library_says_what_to_install(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinstrument", None)
    with pytest.raises(UsageError, match="pip install pyinstrument"):
        flame(Work((place / "logs",), (place / "rules",)), place / "flame.html")


def test_growth_measures_each_size(place: Path) -> None:
    work = Work((place / "logs",), (place / "rules",))
    said: list[str] = []
    grown = growth(work, place / "scratch", said.append, Sizes(rules=(3,), batches=(10,), times=(2,), events=40))
    assert [point.rules for point in grown.rules] == [1, 3]
    assert all(point.first_load > point.later_load > 0 for point in grown.rules)
    assert [point.events for point in grown.batches] == [10]
    assert grown.batches[0].match_per_second > grown.batches[0].parse_and_match_per_second > 0
    assert [point.events for point in grown.events] == [30]
    assert len(said) == 4
    assert {name for name, chart in plots(grown).items() if "</svg>" in chart.svg()} == plots(grown).keys()


def test_correlations_are_measured_quiet_and_alerting(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench("--correlations", "3000")
    kinds = [(each["kind"], each["matches"], each["findings"]) for each in found]
    assert kinds == [
        (kind, matches, matches // 3) for kind in ("event_count", "value_count", "value_sum") for matches in (0, 3_000)
    ]
    assert all(each["seconds"] > 0 < each["peak_mb"] for each in found)
    assert "3,000 matches of a rule within one hour" in capsys.readouterr().out
