"""`soc rules coverage`: the techniques that rules look for, and on which sources they can see them.

A rule counts where it can live: one that is blind on every source covers nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from detectors.attack import RELEASE, TACTICS, attack, techniques
from flows.authoring.fates import Fate
from flows.templates import pages

Titles = Mapping[str, Sequence[str]]  # technique → titles of rules
SHOWN = 25  # rules named in one cell
LAYER = {"attack": RELEASE, "navigator": "5.1.0", "layer": "4.5"}
COLOURS = ("#e3eefb", "#7fb2e8", "#124a82")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Titles of rules by technique: of all sources together, and of each."""

    every: Titles
    by_source: Mapping[str, Titles]


def coverage(fates: Iterable[Fate]) -> Coverage:
    """Count rules by technique and source; techniques that ATT&CK doesn't have are left out."""
    every: dict[str, list[str]] = defaultdict(list)
    by_source: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for fate in fates:
        if fate.verdict != "live":
            continue
        for technique in attack(fate.rule.meta.tags).techniques:
            if technique in techniques():
                every[technique].append(fate.rule.meta.title)
                for source in fate.live:
                    by_source[source][technique].append(fate.rule.meta.title)
    return Coverage(every, dict(sorted(by_source.items())))


def layer(covered: Coverage, name: str) -> dict[str, Any]:
    """Return a layer of the ATT&CK Navigator, format 4.5: a technique's score is its number of rules."""
    most = max(map(len, covered.every.values()), default=1)
    return {
        "name": name,
        "versions": LAYER,
        "domain": "enterprise-attack",
        "description": f"Rules by technique, on the sources {', '.join(covered.by_source) or 'none'}",
        "sorting": 3,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": [_technique(key, titles, covered) for key, titles in sorted(covered.every.items())],
        "gradient": {"colors": [*COLOURS], "minValue": 0, "maxValue": most},
        "legendItems": [],
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _technique(key: str, titles: Sequence[str], covered: Coverage) -> dict[str, Any]:
    counts = {source: len(known[key]) for source, known in covered.by_source.items() if known.get(key)}
    return {
        "techniqueID": key,
        "score": len(titles),
        "comment": "\n".join(_some(titles)),
        "enabled": True,
        "metadata": [{"name": source, "value": str(count)} for source, count in counts.items()],
    }


@dataclass(frozen=True, slots=True)
class Cell:
    """A technique in the matrix, with its sub-techniques."""

    key: str
    name: str
    titles: Sequence[str]
    heat: int  # 0 to 4
    parts: Sequence[Cell] = ()


def matrix(titles: Titles) -> list[tuple[str, int, list[Cell]]]:
    """Return the matrix as columns: a tactic, how many of its techniques are covered, and all of them."""
    columns = []
    for tactic in TACTICS:
        tops = [key for key, one in techniques().items() if tactic in one.tactics and "." not in key]
        cells = sorted((_cell(key, titles) for key in tops), key=lambda cell: (-_count(cell), cell.name))
        columns.append((tactic, sum(_count(cell) > 0 for cell in cells), cells))
    return columns


def _cell(key: str, titles: Titles) -> Cell:
    parts = tuple(_cell(each, titles) for each in _below().get(key, ()) if titles.get(each))
    found = titles.get(key, ())
    count = len(found) + sum(map(_count, parts))
    heat = 0 if not count else 1 if count < 3 else 2 if count < 10 else 3 if count < 30 else 4
    return Cell(key, techniques()[key].name, [*_some(found)], heat, parts)


@cache
def _below() -> dict[str, list[str]]:
    """Return the sub-techniques of techniques."""
    found = defaultdict(list)
    for key in techniques():
        top, dot, _ = key.partition(".")
        if dot:
            found[top].append(key)
    return found


def _count(cell: Cell) -> int:
    return len(cell.titles) + sum(map(_count, cell.parts))


def _some(titles: Sequence[str]) -> list[str]:
    more = [f"… and {len(titles) - SHOWN} more"] if len(titles) > SHOWN else []
    return [*sorted(titles)[:SHOWN], *more]


def page(covered: Coverage, name: str) -> str:
    """Return the matrices as one HTML page that loads nothing and runs nothing."""
    template = pages("flows.authoring").get_template("coverage.html.j2")
    matrices = [("all sources", matrix(covered.every))]
    matrices += [(source, matrix(titles)) for source, titles in covered.by_source.items()]
    return template.render(
        name=name, release=RELEASE, matrices=matrices, known=len(techniques()), covered=len(covered.every)
    )
