"""The registry of organisations, networks, systems, machines and accounts, each from when to when.

Files are YAML with any of the sections, or CSV named after one (`users.csv`, `assets-2026.csv`) for long lists. A CSV
file with headings of somebody else is read by a `Table`, which tells what they mean.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from connectors.faults import DefinitionsError
from connectors.nodes import read_yaml
from connectors.refusals import keys_of, refusals
from connectors.registry.models import CODES, SECTIONS, Asset, Net, Row, System, Table, Unit, User, keys
from connectors.written import known
from detectors.errors import DefinitionError, Place

BUILT_IN: Final = Path(__file__).with_name("gialai.yml")
PlaceOf = Callable[[Sequence[int | str]], Place]


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that is registered; later rows of a key replace nothing, they hold at other times."""

    units: tuple[Unit, ...] = ()
    networks: tuple[Net, ...] = ()
    systems: tuple[System, ...] = ()
    assets: tuple[Asset, ...] = ()
    users: tuple[User, ...] = ()


@dataclass(slots=True)
class _Reading:
    rows: dict[str, list[tuple[Any, Place]]] = field(default_factory=lambda: {name: [] for name in SECTIONS})
    faults: list[DefinitionError] = field(default_factory=list)


def read(paths: Iterable[Path | Table] = (), *, built_in: bool = True) -> Registry:
    """Read the registry: the province's units, and the files and folders given.

    Raises:
        DefinitionsError: with all faults of all files.
    """
    reading = _Reading()
    for path in [*([BUILT_IN] if built_in else []), *_files(paths)]:
        _read(path, reading)
    if not reading.faults:
        reading.faults += _contradictions(reading.rows)
    if reading.faults:
        raise DefinitionsError(reading.faults)
    rows = {name: tuple(row for row, _ in found) for name, found in reading.rows.items()}
    networks = [Net(network=each, unit=unit.code, since=unit.since, until=unit.until)  # type: ignore[call-arg]
                for unit in rows["units"] for each in unit.networks]  # fmt: skip
    return Registry(rows["units"], (*networks, *rows["networks"]), rows["systems"], rows["assets"], rows["users"])


def _files(paths: Iterable[Path | Table]) -> Iterator[Path | Table]:
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix in {".yml", ".yaml", ".csv"})
        else:
            yield path


def _read(given: Path | Table, reading: _Reading) -> None:
    try:
        for name, value, place in _rows(given):
            try:
                reading.rows[name].append((SECTIONS[name].model_validate(value), place([])))
            except ValidationError as error:
                reading.faults += _refused(error, value, SECTIONS[name], place)
    except DefinitionError as error:
        reading.faults.append(error)


def _rows(given: Path | Table) -> Iterator[tuple[str, Any, PlaceOf]]:
    if isinstance(given, Table):
        return _table(given.path, given.section, given.columns)
    if given.suffix != ".csv":
        return _document(given)
    name = next((each for each in SECTIONS if given.stem.startswith(each)), None)
    if name is None:
        fix = (
            f"name it after one of {', '.join(SECTIONS)}, or write {{path: {given.name}, section: units, columns: "
            "{code: HEADING, …}} under enrichment.registry"
        )
        raise DefinitionError("no registry", place=Place(str(given)), fix=fix)
    return _table(given, name, {})


def _document(path: Path) -> Iterator[tuple[str, Any, PlaceOf]]:
    node = read_yaml(path)
    for name, rows in node.value.items():
        where = node.place([name])
        try:
            known(str(name), SECTIONS, "section of a registry")
        except ValueError as error:
            raise DefinitionError(str(error), place=where, fix="move its rows into one of these") from None
        if not isinstance(rows, list):
            raise DefinitionError(f"{name!r} is no list", place=where, fix="write one row per `-`")
        for number, row in enumerate(rows):
            yield name, row, lambda path, name=name, number=number: node.place([name, number, *path])  # type: ignore[misc]


def _table(path: Path, section: str, columns: Mapping[str, str]) -> Iterator[tuple[str, Any, PlaceOf]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _look_at_headings(reader.fieldnames or (), SECTIONS[section], columns, Place(str(path), 1))
            for row in reader:
                line = reader.line_num
                value = {key: row[heading] for key, heading in columns.items()} if columns else row
                yield section, value, lambda _, line=line: Place(str(path), line)  # type: ignore[misc]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DefinitionError(f"can't be read: {error}", place=Place(str(path))) from None


def _look_at_headings(headings: Sequence[str], model: type[Row], columns: Mapping[str, str], place: Place) -> None:
    """Tell once, and not of every row, what the headings of a table lack or nobody knows."""
    if missing := [heading for heading in columns.values() if heading not in headings]:
        fix = f"its headings are {', '.join(headings)}"
        raise DefinitionError(f"no heading {', '.join(map(repr, missing))}", place=place, fix=fix)
    names = keys(model)
    if strange := [key for key in columns if key not in names]:
        message = f"{', '.join(map(repr, strange))} is no key of a row"
        raise DefinitionError(message, place=place, fix=f"known are {', '.join(names)}")
    if unknown := [heading for heading in headings if heading not in names and not columns]:
        fix = f"known are {', '.join(names)}; or say what they mean under `columns` (docs/enrichment.md)"
        raise DefinitionError(f"unknown headings {', '.join(map(repr, unknown))}", place=place, fix=fix)


def _refused(error: ValidationError, value: object, model: type[Row], place: PlaceOf) -> Iterator[DefinitionError]:
    for fault in refusals(error, value, lambda path: keys(model) if not path else keys_of(model, path)):
        message, fix = fault.named, fault.fix
        if fault.path and fault.path[0] in CODES and isinstance(value, Mapping) and fault.path[0] in value:
            message, fix = f"{value[fault.path[0]]!r} is no code of an organisation", "write it as H21.09 or H21.106"
        yield DefinitionError(message, place=place(fault.path), fix=fix)


def _contradictions(rows: Mapping[str, list[tuple[Any, Place]]]) -> Iterator[DefinitionError]:
    codes = {unit.code for unit, _ in rows["units"]}
    yield from _unknown_units(rows, codes)
    yield from _circles({unit.code: unit.becomes for unit, _ in rows["units"] if unit.becomes}, rows["units"])
    keys: dict[str, Callable[[Any], Iterable[str]]] = {
        "units": lambda row: [row.code],
        "systems": lambda row: [row.id],
        "assets": lambda row: [*([row.host.lower()] if row.host else []), *map(str, row.ip)],
        "users": lambda row: [row.name.lower()],
    }
    for section, key in keys.items():
        yield from _twice(section, [(row, place, key(row)) for row, place in rows[section]])
    nets = [(unit, place, map(str, unit.networks)) for unit, place in rows["units"]]
    yield from _twice("networks", [*nets, *((row, place, [str(row.network)]) for row, place in rows["networks"])])


def _unknown_units(rows: Mapping[str, list[tuple[Any, Place]]], codes: set[str]) -> Iterator[DefinitionError]:
    for section, found in rows.items():
        for row, place in found:
            names = (row.parent, row.becomes) if section == "units" else (row.unit,)
            for code in names:
                if code is not None and code not in codes:
                    try:
                        known(code, codes, "unit of the registry")
                    except ValueError as error:
                        near = str(error).partition("; known")[0]
                        yield DefinitionError(near, place=place, fix="write a code of the registry, or add the unit")


def _circles(becomes: Mapping[str, str], units: list[tuple[Unit, Place]]) -> Iterator[DefinitionError]:
    for unit, place in units:
        seen, code = {unit.code}, becomes.get(unit.code)
        while code is not None and code not in seen:
            seen.add(code)
            code = becomes.get(code)
        if code == unit.code:
            yield DefinitionError(f"{unit.code} becomes itself in the end", place=place, fix="correct `becomes`")


def _twice(section: str, rows: Iterable[tuple[Row, Place, Iterable[str]]]) -> Iterator[DefinitionError]:
    """Refuse a key that two rows have at one time."""
    seen: dict[str, list[tuple[Row, Place]]] = {}
    for row, place, names in rows:
        for key in names:
            for other, where in seen.setdefault(key, []):
                if row.meets(other) and row is not other:
                    message = f"{key} stands in {section} already, at {where}, for some of these days"
                    fix = "let one end (`to`) before the other begins (`from`), or leave one out"
                    yield DefinitionError(message, place=place, fix=fix)
            seen[key].append((row, place))
