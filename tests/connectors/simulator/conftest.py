"""Two simulated days, written once for all tests that only look at them."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.simulator import Province, Summary, load, write

START = date(2026, 11, 18)  # a Wednesday


@pytest.fixture(scope="session")
def simulated(town: Province, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return write(tmp_path_factory.mktemp("province") / "out", seed=7, start=START, days=2, spec=town)


@pytest.fixture(scope="session")
def town() -> Province:
    """Return two units with everything that a province has, and a third of its noise."""
    large = load()
    portal = large.portal.model_copy(update={"visits_per_hour": 20, "crawls_per_hour": 20})
    hotline = large.hotline.model_copy(update={"calls_per_hour": 8})
    return large.model_copy(update={"units": large.units[:2], "portal": portal, "hotline": hotline})


@pytest.fixture(scope="session")
def village() -> Province:
    """Return a province as small as can be: every attack takes place in it, and a day is written in a moment."""
    large = load()
    desks = {"staff": 3}
    return large.model_copy(
        update={
            "units": (large.units[0].model_copy(update=desks),),
            "administrators": large.administrators.model_copy(update=desks),
            "hotline": large.hotline.model_copy(update=desks | {"calls_per_hour": 2}),
            "portal": large.portal.model_copy(update={"visits_per_hour": 3, "crawls_per_hour": 3}),
        }
    )
