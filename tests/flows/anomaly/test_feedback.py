"""Verdicts, said here or in Kibana, change the threshold of whom they are about, and what is learnt from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.store import Store
from connectors.store_cases import Cases, Verdict
from detectors.anomaly.anomaly import Anomaly, found
from detectors.anomaly.parts import Words
from flows.anomaly.feedback import BOUNDS, factors, real_windows
from flows.settings import Settings

AT = datetime(2026, 3, 2, 17, tzinfo=UTC)
WORDS = Words(en="x", vi="x")


def anomaly(day: int) -> Anomaly:
    start = AT + timedelta(days=day)
    return Anomaly("anomaly.records", "v", WORDS, WORDS, "medium", (), "hotline_1022", "user.name", "lan", start,
                   start + timedelta(days=1), WORDS)  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "factor", "real"),
    [("false_positive", 0.5, 0), ("expected_activity", 0.5, 0), ("low_severity", 0.5, 0), ("true_positive", 1.5, 1),
     ("issue_resolved", 1.5, 1), ("duplicate", 1.0, 0)],
)  # fmt: skip
def test_what_is_said_in_kibana_counts_as_what_is_said_here(
    tmp_path: Path, reason: str, factor: float, real: int
) -> None:
    settings = Settings(store=tmp_path / "store.sqlite")
    store, one = Store(settings.store), anomaly(0)
    Cases(store).verdicts([Verdict(one.id, "alert", AT, "closed", reason, ())], "kibana")
    assert factors(settings, "records", "user.name") == {}  # the finding isn't here yet
    store.findings(found([one], {}, "en").findings)
    Cases(store).verdicts([], "kibana")
    store.close()
    assert factors(settings, "records", "user.name") == {"lan": factor}
    assert factors(settings, "logons", "user.name") == {}
    assert real_windows(settings, "records", "user.name") == [("lan", AT)] * real


def test_no_number_of_verdicts_mutes_an_entity(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store.sqlite")
    store, several = Store(settings.store), [anomaly(day) for day in range(12)]
    store.findings(found(several, {}, "en").findings)
    said = [Verdict(one.id, one.id, AT, "closed", "false_positive", ()) for one in several]
    Cases(store).verdicts(said, "kibana")
    store.close()
    assert factors(settings, "records", "user.name") == {"lan": BOUNDS[0]}
