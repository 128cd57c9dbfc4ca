"""Closing an incident with its findings: what was said of the whole is said of each that is still open."""

from __future__ import annotations

from dataclasses import replace

from connectors.store import Store, Triage
from connectors.store_cases import Cases


def close_members(store: Store, entry: Triage) -> int:
    """Close the open findings of an incident for the reason for which it was closed; return how many.

    A finding that was closed before keeps its own reason.
    """
    names = Cases(store).findings(entry.finding)
    rows = [row for name in names if (row := store.whole(name)) is not None]
    still = [row["event.id"] for row in rows if row["soc.triage.status"] != "closed"]
    note = f"with incident {entry.finding}"
    store.decide(*(replace(entry, finding=name, owner=None, note=note) for name in still))
    return len(still)
