"""What verdicts teach: thresholds per entity within bounds, and days that no model shall learn from.

They are read in the store, whether they were said with `soc findings status`, or in Kibana and brought from there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connectors.store import Store
from connectors.store_wanted import Wanted
from detectors.verdicts import RIGHT, WRONG
from flows.settings import Settings

STRICTER: Final = 0.5  # per false alarm, the threshold of that entity
LAXER: Final = 1.5  # per true one
BOUNDS: Final = (1 / 16, 4.0)  # no verdict mutes an entity, none opens the gates


def factors(settings: Settings, name: str, column: str) -> dict[str, float]:
    """Return by how much the threshold of entities changes; `name` is of a set or `set.watch`, `column` its entity."""
    found: dict[str, float] = {}
    for entity, _, reason in _verdicts(settings, name, column):
        step = STRICTER if reason in WRONG else LAXER if reason in RIGHT else 1.0
        found[entity] = min(max(found.get(entity, 1.0) * step, BOUNDS[0]), BOUNDS[1])
    return found


def real_windows(settings: Settings, name: str, column: str) -> list[tuple[str, datetime]]:
    """Return the windows that turned out to be attacks: (entity, begin)."""
    return [(entity, window) for entity, window, reason in _verdicts(settings, name, column) if reason in RIGHT]


def _verdicts(settings: Settings, name: str, column: str) -> Iterator[tuple[str, datetime, str]]:
    if not settings.store.is_file():
        return
    store = Store(settings.store)
    try:
        reasons = store.reasons()
        findings = store.select(Wanted(rule=f"anomaly.{name}", status="closed"), limit=sys.maxsize)
    finally:
        store.close()
    for known, group, window in findings.select("event.id", "soc.group", "soc.window.start").iter_rows():
        if known in reasons:
            yield group.removeprefix(f"{column}="), window, reasons[known]
