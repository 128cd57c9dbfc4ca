"""What rows of the registry say that can't be, each by itself or beside others: the later row is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from connectors.registry.models import Row
from connectors.written import known
from detectors.errors import DefinitionError, Place

Rows = list[tuple[Any, Place]]
Wrong = Iterator[tuple[Row, DefinitionError]]
KEYS: Final[dict[str, Callable[[Any], Iterable[str]]]] = {
    "units": lambda row: [row.code],
    "systems": lambda row: [row.id],
    "assets": lambda row: [*([row.host.lower()] if row.host else []), *map(str, row.ip)],
    "users": lambda row: [row.name.lower()],
}


def contradictions(rows: Mapping[str, Rows]) -> Wrong:
    """Yield rows to leave out, with what is wrong with them."""
    yield from _unknown_units(rows)
    yield from _unknown_systems(rows)
    for field, words in (("becomes", "becomes itself in the end"), ("parent", "stands above itself in the end")):
        yield from _circles(rows["units"], field, words)
    for section, key in KEYS.items():
        yield from _twice(section, [(row, place, key(row)) for row, place in rows[section]])
    nets = [(unit, place, map(str, unit.networks)) for unit, place in rows["units"]]
    yield from _twice("networks", [*nets, *((row, place, [str(row.network)]) for row, place in rows["networks"])])


def _unknown_units(rows: Mapping[str, Rows]) -> Wrong:
    codes = {unit.code for unit, _ in rows["units"]}
    for section, found in rows.items():
        for row, place in found:
            names = (row.parent, row.becomes) if section == "units" else (row.unit,)
            for code in names:
                if code is not None and code not in codes:
                    fix = "write a code of the registry, or add the unit"
                    yield row, _unknown(code, codes, "unit of the registry", place, fix)


def _unknown_systems(rows: Mapping[str, Rows]) -> Wrong:
    names = {system.id for system, _ in rows["systems"]}
    for asset, place in rows["assets"]:
        if asset.system and asset.system not in names:
            fix = "write the `id` of a system, or add it under `systems`"
            yield asset, _unknown(asset.system, names, "system of the registry", place, fix)


def _unknown(name: str, names: Iterable[str], kind: str, place: Place, fix: str) -> DefinitionError:
    try:
        known(name, names, kind)
    except ValueError as error:
        near = str(error).partition("; known")[0].removesuffix("; there is none")
        return DefinitionError(near, place=place, fix=fix)
    raise AssertionError(f"{name} is known")


def _circles(units: Rows, key: str, words: str) -> Wrong:
    leads = {unit.code: getattr(unit, key) for unit, _ in units if getattr(unit, key)}
    for unit, place in units:
        seen: set[str] = set()
        code = leads.get(unit.code)
        while code is not None and code not in seen:
            seen.add(code)
            code = leads.get(code)
        if unit.code in seen and getattr(unit, key):
            yield unit, DefinitionError(f"{unit.code} {words}", place=place, fix=f"correct `{key}`")


def _twice(section: str, rows: Iterable[tuple[Row, Place, Iterable[str]]]) -> Wrong:
    """Refuse a key that two rows have at one time."""
    seen: dict[str, list[tuple[Row, Place]]] = {}
    for row, place, names in rows:
        for key in names:
            for other, where in seen.setdefault(key, []):
                if row.meets(other) and row is not other:
                    message = f"{key} stands in {section} already, at {where}, for some of these days"
                    fix = "let one end (`to`) before the other begins (`from`), or leave one out"
                    yield row, DefinitionError(message, place=place, fix=fix)
            seen[key].append((row, place))
