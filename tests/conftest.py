"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

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


SLOW = ("tests/integration/", "tests/rules/", "tests/property/", "tests/flows/anomaly/", "tests/agreement/")


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # files are dealt in the order below, not by their number of tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, so that no process is left alone with it at the end."""
    items.sort(
        key=lambda item: next((at for at, folder in enumerate(SLOW) if item.nodeid.startswith(folder)), len(SLOW))
    )


BROKER = ("tests/integration/test_kafka.py", "tests/integration/test_collect.py", "tests/integration/test_compose.py")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Keeps a file's tests in one process, and all that share a server, as what they share is made once a process.

    Those that need no more than a broker, which is quickly started, have one of their own: they wait most of the time.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in BROKER:
            return "broker"
        return "servers" if file.startswith("tests/integration/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)
