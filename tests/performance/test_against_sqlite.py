"""The engine finds what pySigma's SQLite backend finds, many times as fast."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.ruleset import rule_files
from tests.performance.against_sqlite import race

SHARE = 4  # every fourth rule: the more rules, the larger the lead
EVENTS = 10_000
TIMES_AS_FAST = 20


@pytest.mark.reference
def test_the_engine_is_many_times_as_fast_as_the_sqlite_backend(reference: Path) -> None:
    rules = [Path(path) for path in rule_files([reference / "rules"])][::SHARE]
    found = race(reference / "perf", rules, EVENTS)
    assert found.events == EVENTS
    assert found.matches > 0
    assert found.differing == []
    assert found.sqlite > TIMES_AS_FAST * found.engine, str(found)
