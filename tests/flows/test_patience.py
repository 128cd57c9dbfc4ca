"""A server that is away for a while."""

from __future__ import annotations

import pytest

from detectors.errors import UnavailableError
from flows import patience
from flows.patience import patiently


def test_work_is_done_again_until_the_server_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    tries: list[int] = []
    told: list[str] = []

    def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise UnavailableError("the cluster is away")

    patiently(work, None, told.append)
    assert len(tries) == 4
    assert len(told) == 3
    assert "the cluster is away" in told[0]
