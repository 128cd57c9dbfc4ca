"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# what a machine is busy with besides is no fault of an example
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of reference logs, or skip the test and say so."""
    if not (REFERENCE / "MANIFEST.md").is_file():
        pytest.skip("the reference logs (../shared/data) are not beside this checkout")
    return REFERENCE


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, and all that share a server, as what they share is made once a process."""
    for item in items:
        shares = "servers" if item.get_closest_marker("integration") else item.location[0]
        item.add_marker(pytest.mark.xdist_group(shares))
