"""Fixtures of the tests of formats and patterns."""

from __future__ import annotations

import pytest

from connectors import warm


@pytest.fixture
def machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as machine code however few lines there are."""
    monkeypatch.setattr(warm.WARMTH, "few", 0)  # set back afterwards
    monkeypatch.setattr(warm.WARMTH, "cold", -1)
