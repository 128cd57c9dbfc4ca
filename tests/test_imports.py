"""Imports go one way: flows → connectors → detectors; what dashboards has knows schemas and errors only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = {
    "detectors.contracts",
    "detectors.errors",
    "detectors.findings",
    "detectors.identity",
    "detectors.meta",
    "detectors.nearest",
    "detectors.schema",
    "detectors.workdays",
}
ALLOWED: dict[str, set[str]] = {  # room → what it may import of ours, a module with all below it
    "detectors": {"detectors"},
    "connectors": {"connectors", *CORE},
    "dashboards": {"dashboards", "detectors.errors", "detectors.schema"},
    "rules": set(),
    "flows": {"flows", "connectors", "dashboards", "detectors", "rules"},
}


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        for name in imported(path):
            legal = any(name == each or name.startswith(f"{each}.") for each in ALLOWED[room])
            assert legal or name.split(".")[0] not in ALLOWED, f"{path.relative_to(ROOT)} imports {name}"


def test_no_module_of_flows_is_named_like_a_dependency() -> None:
    taken = {
        "elasticsearch",
        "evtx",
        "kafka",
        "numpy",
        "orjson",
        "polars",
        "prefect",
        "pydantic",
        "pyod",
        "rich",
        "yaml",
    }
    assert taken.isdisjoint(path.stem for path in (ROOT / "flows").iterdir())


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
