"""Scoring: found, missed, how late, and what was false."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.simulator import MATCHED, Summary, read_truth, score
from connectors.simulator.score import TRUTH
from detectors.errors import InputError

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def truth(**attacks: list[str]) -> pl.DataFrame:
    rows = [
        (name, name, name, ["T1110"], NOON, NOON + timedelta(minutes=5), "auth", "auth/auth.log", place, place, text)
        for name, texts in attacks.items()
        for place, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=TRUTH, orient="row")


def matched(*rows: tuple[int, str, str, str, str], needed: int = 1) -> pl.DataFrame:
    timed = [(NOON + timedelta(seconds=second), *rest, needed) for second, *rest in rows]
    return pl.DataFrame(timed, schema=MATCHED, orient="row")


def test_an_attack_is_found_by_its_first_matched_line() -> None:
    result = score(
        truth(guess=["a", "b", "c"], quiet=["d"]),
        matched((30, "b", "r2", "high", "f1"), (20, "a", "r1", "low", "f2"), (40, "b", "r1", "low", "f2")),
    )
    found, missed = result.attacks.to_dicts()
    assert (result.found, result.missed) == (1, 1)
    assert (found["attack"], found["lines"], found["lines_matched"]) == ("guess", 3, 2)
    assert found["delay"] == timedelta(seconds=20)
    assert found["rules"] == ["r1", "r2"]
    assert (missed["attack"], missed["found"], missed["delay"], missed["rules"]) == ("quiet", False, None, [])


def test_the_steps_of_an_attack_are_its_findings_in_the_order_of_time() -> None:
    result = score(
        truth(guess=["a", "b"], quiet=["d"]),
        matched(
            (30, "b", "r2", "high", "f1"),
            (20, "a", "r1", "low", "f2"),
            (40, "b", "r1", "low", "f2"),
            (1, "x", "r", "low", "f3"),
        ),
    )
    assert result.steps.select("attack", "soc.finding.id", "lines").rows() == [("guess", "f2", 2), ("guess", "f1", 1)]


def test_a_correlation_speaks_when_it_has_counted_what_it_needs() -> None:
    events = [(20, "a", "r", "high", "f"), (30, "b", "r", "high", "f"), (90, "c", "r", "high", "f")]
    for needed, seconds in ((1, 20), (2, 30), (3, 90), (9, 90)):
        result = score(truth(guess=["a", "b", "c"]), matched(*events, needed=needed))
        assert result.attacks["delay"].to_list() == [timedelta(seconds=seconds)]
        assert result.steps["first"].to_list() == [NOON + timedelta(seconds=seconds)]


def test_a_finding_with_one_true_line_is_not_false() -> None:
    result = score(
        truth(guess=["a"]),
        matched((1, "a", "r1", "high", "f1"), (2, "x", "r1", "high", "f1"), (3, "y", "r1", "high", "f2")),
    )
    assert result.false.to_dicts() == [{"rule.id": "r1", "soc.level": "high", "findings": 1, "matches": 1}]


def test_false_findings_are_counted_by_rule_the_noisiest_first() -> None:
    noise = [(n, f"x{n}", "loud", "low", f"f{n // 2}") for n in range(6)]
    result = score(truth(guess=["a"]), matched((1, "y", "calm", "high", "g"), *noise))
    assert result.false["rule.id"].to_list() == ["loud", "calm"]
    assert result.false["matches"].to_list() == [6, 1]
    assert result.false_findings == 4


def test_findings_below_the_level_count_neither_way() -> None:
    events = matched((1, "a", "r1", "informational", "f1"), (2, "x", "r1", "informational", "f2"))
    assert score(truth(guess=["a"]), events).missed == 1
    assert score(truth(guess=["a"]), events).false_findings == 0
    assert score(truth(guess=["a"]), events, least="informational").found == 1


def test_nothing_matched_is_everything_missed() -> None:
    result = score(truth(one=["a"], two=["b"]), matched())
    assert (result.found, result.missed, result.false_findings) == (0, 2, 0)


def test_the_truth_of_a_simulation_is_read_whole(simulated: Summary) -> None:
    frame = read_truth(simulated.truth)
    assert dict(frame.schema) == dict(TRUTH)
    assert tuple(frame["attack"].unique(maintain_order=True)) == simulated.attacks
    events = frame.select(
        pl.col("start").alias("@timestamp"),
        "event.original",
        pl.lit("r").alias("rule.id"),
        pl.lit("high").alias("soc.level"),
        pl.lit("f").alias("soc.finding.id"),
        pl.lit(1).alias("soc.needed"),
    )
    assert score(frame, events).missed == 0


def test_a_damaged_truth_is_told_with_its_line(tmp_path: Path, simulated: Summary) -> None:
    path = tmp_path / "truth.ndjson"
    path.write_bytes(simulated.truth.read_bytes() + b'{"attack": 1}\n')
    with pytest.raises(InputError) as caught:
        read_truth(path)
    assert caught.value.place is not None
    assert caught.value.place.line == len(simulated.attacks) + 1


def test_a_missing_truth_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"truth\.ndjson"):
        read_truth(tmp_path / "truth.ndjson")
