"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of reference logs, or skip the test and say so."""
    if not (REFERENCE / "MANIFEST.md").is_file():
        pytest.skip("the reference logs (../shared/data) are not beside this checkout")
    return REFERENCE
