"""Which rows take which route, against asking row by row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sigma import routing
from detectors.sigma.columns import Memory, Table
from detectors.sigma.logsources import Route
from detectors.sigma.routing import Routing

Row = Mapping[str, str | None]
NAMES = ("channel", "id", "provider")
ROUTES = (
    Route(),
    Route({"channel": frozenset({"security"})}),
    Route({"channel": frozenset({"sysmon", "security"}), "id": frozenset({"1"})}),
    Route({"id": frozenset({"1", "2"}), "provider": frozenset({"kernel"})}),
    Route({"nowhere": frozenset({"x"})}),
)
ROW = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["Security", "SYSMON", "other", None]),
        "id": st.sampled_from(["1", "2", "3", None]),
        "provider": st.sampled_from(["Kernel", None]),
    }
)


def table(rows: list[Row], memory: Memory | None = None) -> Table:
    events = pl.DataFrame({name: pl.Series([row[name] for row in rows], dtype=pl.String) for name in NAMES})
    return Table(events, NAMES, memory or Memory())


def takes(row: Row, route: Route) -> bool:
    return all((row.get(name) or "").lower() in values for name, values in route.where.items())


@pytest.mark.parametrize("dense", [0, 1 << 16])
@settings(deadline=None)
@given(frames=st.lists(st.lists(ROW, min_size=1, max_size=20), min_size=1, max_size=3))
def test_rows_take_the_routes_whose_conditions_they_meet(dense: int, frames: list[list[Row]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, "_DENSE", dense)
        made, memory = Routing(ROUTES), Memory()
        for rows in frames:
            taken = made.taken(table(rows, memory))
            every = np.arange(len(rows))
            for number, route in enumerate(ROUTES):
                expected = [at for at, row in enumerate(rows) if takes(row, route)]
                assert taken.narrow(every, number).tolist() == taken.rows(frozenset({number})).tolist() == expected
                assert (number in taken.routes) == bool(expected)


def test_rows_of_several_routes_come_once() -> None:
    rows: list[Row] = [{"channel": "Security", "id": "1", "provider": None}, dict.fromkeys(NAMES)]
    assert Routing(ROUTES).taken(table(rows)).rows(frozenset({0, 1, 2})).tolist() == [0, 1]


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "_KNOWN", 10)
    made = Routing(ROUTES)
    for start in range(0, 300, 30):
        rows: list[Row] = [{"channel": "Security", "id": str(start + at), "provider": None} for at in range(30)]
        assert made.taken(table(rows)).rows(frozenset({1})).size == 30
        assert len(made._known) <= 10 + 30
