"""Folders to run in: what the tests of runs lay out."""

from __future__ import annotations

from pathlib import Path

from flows.settings import Settings


def laid_out(folder: Path) -> Settings:
    """Return the settings of a run over `logs` with `rules`, two folders that are made and stay empty."""
    logs, rules = folder / "logs", folder / "rules"
    logs.mkdir()
    rules.mkdir()
    return Settings(
        inputs=[logs],
        rules=[rules],
        own_rules=False,
        store=folder / "store.sqlite",
        archive=folder / "archive",
        cache=folder / "cache",
    )
