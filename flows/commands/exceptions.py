"""Exceptions on the command line: `soc rules try EXCEPTION`."""

from __future__ import annotations

import argparse
from pathlib import Path

from connectors.archive import Archive
from connectors.store import Store
from detectors.sigma.document import Document, documents
from detectors.sigma.filters import is_filter
from flows import trying
from flows.ruleset import rule_files
from flows.settings import Settings
from flows.terminal import plain

WIDTH = 300  # characters of a line


def are_meant(name: str) -> bool:
    """Say whether a path holds filters, right or wrong, and nothing else."""
    if not Path(name).exists():
        return False
    found = False
    for file in rule_files([Path(name)]):
        for each in documents(Path(file).read_text("utf-8-sig", "replace"), file):
            found = isinstance(each, Document) and is_filter(each.data)
            if not found:
                return False
    return found


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Try, and print what would go; 1 when a real finding would be hidden, 3 when an exception can't be read."""
    trial = trying.prepare(settings, Path(args.rule), args.rules)
    trying.run(trial, Archive(args.archive or settings.archive), args.since, args.until)
    if settings.store.is_file():
        store = Store(settings.store)
        try:
            trying.judge(trial, store)
        finally:
            store.close()
    for line in trying.lines(trial):
        print(plain(line, WIDTH))
    for fault in trial.faults:
        print(plain(str(fault)))
    return 1 if trial.hidden else 3 if trial.faults else 0
