from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.verdicts import DECISION, JUDGED, advise, interval, judged
from tests.sample_findings import START, finding, frame

Part = tuple[list[dict[str, Any]], list[Any]]


def found(rule: str, reasons: Sequence[str | None], organisation: str = "H21.09") -> Part:
    rows, said = [], []
    for number, reason in enumerate(reasons):
        name = f"{rule}{organisation}{number}"
        rows.append(finding(**{"event.id": name, "rule.id": rule, "organization.id": [organisation]}))
        if reason is not None:
            said.append((name, START + timedelta(hours=number + 1), "closed", reason))
    return rows, said


def stats(*parts: Part) -> pl.DataFrame:
    rows, said = ([each for part in parts for each in part[which]] for which in (0, 1))
    return judged(frame(*rows), pl.DataFrame(said, schema=DECISION, orient="row"))


def test_rules_are_judged_by_what_was_closed() -> None:
    wrong = ["false_positive"] * 3 + ["expected_activity", "true_positive", "duplicate", None]
    found_there = stats(found("noisy", wrong), found("noisy", ["false_positive"], "H21.12"), found("quiet", [None]))
    noisy, quiet = found_there.iter_rows(named=True)
    assert (noisy["rule"], noisy["findings"], noisy["open"], noisy["true"], noisy["false"]) == ("noisy", 8, 1, 1, 5)
    assert noisy["precision"] == pytest.approx(1 / 6)
    assert noisy["least"] < 1 / 6 < noisy["most"]
    assert (noisy["noisiest"], noisy["noise"]) == ("H21.09", 4)
    assert noisy["hours"] == 3  # median of 1, 1, 2, 3, 4, 5, 6
    assert (quiet["precision"], quiet["least"], quiet["most"], quiet["hours"]) == (None, 0, 1, None)
    assert judged(frame(), DECISION.to_frame()).schema == JUDGED


def test_the_interval_is_wilsons() -> None:
    low, high = interval(8, 10)  # Brown, Cai, DasGupta 2001
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(0, 30)[1] < 0.15
    assert interval(30, 30)[1] == 1.0


def test_advice_follows_the_interval() -> None:
    rules = stats(
        found("good", ["true_positive"] * 10),
        found("noisy", ["false_positive"] * 9 + ["true_positive"]),
        found("dead", ["false_positive"] * 60),
        found("young", ["false_positive"] * 4),
    )
    covered = {"good": frozenset({"T1"}), "noisy": frozenset({"T1"}), "dead": frozenset({"T1"}), "young": frozenset()}
    advice = {rule: word for rule, (word, _) in advise(rules, covered).items()}
    assert advice == {"good": "keep", "noisy": "tune", "dead": "retire", "young": "wait"}
    alone = advise(rules, covered | {"dead": frozenset({"T1", "T2"})})["dead"]
    assert alone == ("tune", frozenset({"T2"}))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sets(st.sampled_from(["T1", "T2", "T3"]), max_size=3), min_size=1, max_size=6))
def test_no_technique_loses_its_last_rule(covered: list[set[str]]) -> None:
    rules = stats(*(found(f"r{number}", ["false_positive"] * 60) for number in range(len(covered))))
    techniques = {f"r{number}": frozenset(each) for number, each in enumerate(covered)}
    kept = [rule for rule, (word, _) in advise(rules, techniques).items() if word != "retire"]
    assert set().union(*covered) == {each for rule in kept for each in techniques[rule]}
