"""The life of a model: it is watched for drift, challenged on the same days, and what is expected has an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from connectors.store import Store
from detectors.anomaly.drift import Drift
from detectors.anomaly.parts import Words
from flows.anomaly import working
from flows.anomaly.challenge import Contest
from flows.sections import Accepted
from flows.settings import Settings
from tests.flows.anomaly.hotline import DAYS, NIGHT, START

NOW = START + timedelta(days=DAYS, hours=6)


def test_a_week_unlike_those_before_is_told_once_and_the_model_trained_again(rushed: Callable[[int], Settings]) -> None:
    settings, said = rushed(6), list[str]()
    where = working.room(settings, NOW, said.append)
    (first,) = working.train_all(where, ["records"], None, NOW - timedelta(days=7))
    store = Store(settings.store)
    assert working.watch_drift(where, ["records"], store) == ["records"]
    (row,) = store.select().iter_rows(named=True)
    store.close()
    assert (row["rule.id"], row["soc.group"]) == ("anomaly.drift", "soc.model=records")
    told = orjson.loads(row["soc.anomaly"])
    assert "actions (PSI" in told["text"]["en"]
    assert first.version in told["text"]["vi"]
    assert len(where.registry.versions("records")) >= 2
    assert any("verdict" not in line and "p-values" in line for line in said), said


def test_what_looks_as_it_was_learnt_is_no_drift() -> None:
    words = {"a": Words(en="exports", vi="lần xuất"), "b": Words(en="actions", vi="thao tác")}
    assert Drift({"a": 0.1}, 0.1, 7, 7.0, words).reasons == []
    told = Drift({"a": 0.3, "b": 0.1}, 0.3, 23, 7.0, words).reasons
    assert len(told) == 3
    assert told[0] == ("exports (PSI 0.3)", "lần xuất (PSI 0,3)")


@pytest.mark.parametrize(
    ("change", "wins"),
    [({}, True), ({"lost": 1}, False), ({"alarms": (7, 30)}, False), ({"shift": (0.05, 0.4)}, False),
     ({"alarms": (40, 30)}, True), ({"shift": (0.5, 0.4)}, True)],
)  # fmt: skip
def test_a_challenger_wins_only_if_nothing_real_is_lost_within_the_budget(
    change: dict[str, object], wins: bool
) -> None:
    contest = Contest((7, 8), 6, 0.9, (0.05, 0.06), 7.0, 0, 900)
    assert replace(contest, **change).wins is wins  # type: ignore[arg-type]
    assert ("take over" in str(replace(contest, **change))) is wins  # type: ignore[arg-type]


def test_what_is_accepted_is_kept_as_suppressed_until_its_day(kept: Settings) -> None:
    def score(until: datetime) -> tuple[list[str], list[str], list[str]]:
        accepted = Accepted(set="records", entity="agent07", until=until.date(), reason="yearly export", owner="Lan")
        part = kept.anomaly.model_copy(update={"accepted": [accepted]})
        said: list[str] = []
        where = working.room(kept.model_copy(update={"anomaly": part}), datetime(2026, 4, 10, tzinfo=UTC), said.append)
        if where.registry.champion("records") is None:
            working.train_all(where, ["records"], None, NIGHT - timedelta(days=1))
        made, told, _ = working.score_all(where, ["records"], NIGHT - timedelta(days=1), None)
        titles = made.suppressed["soc.exception.title"].to_list()
        assert made.matches["soc.finding.id"].is_in(made.findings["event.id"].implode()).all()
        return [one.entity for one in told], titles, said

    told, kept_back, said = score(NIGHT + timedelta(days=1))
    assert (told, len(kept_back)) == ([], 1)
    assert kept_back[0].startswith("yearly export (Lan, until ")
    assert any("over; it is told again" in line for line in said)
    assert score(NIGHT - timedelta(days=3))[:2] == (["agent07"], [])
