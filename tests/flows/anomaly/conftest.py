"""Archives of the hotline's weeks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.store import Store
from flows import assembly
from flows.scanning import scan
from flows.sections import Anomaly
from flows.settings import Settings
from tests.flows.anomaly.hotline import write


def archived(folder: Path, **more: int) -> Settings:
    """Return settings whose archive holds the weeks of the hotline."""
    settings = Settings(
        store=folder / "store.sqlite",
        archive=folder / "archive",
        cache=folder / "cache",
        own_rules=False,
        anomaly=Anomaly(models=folder / "models", key=folder / "key"),
    )
    store = Store(settings.store)
    parts = assembly.assemble(settings)
    scan([write(folder, **more)], parts, store, source="hotline_1022", archive=Archive(settings.archive))
    store.close()
    return settings


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings whose archive holds the weeks of the hotline."""
    return archived(tmp_path_factory.mktemp("anomaly"))


@pytest.fixture
def rushed(tmp_path: Path) -> Callable[[int], Settings]:
    """Return what makes settings whose archive ends with a week in which everybody does so many times as much."""
    return lambda rush: archived(tmp_path, agents=60, rush=rush)
