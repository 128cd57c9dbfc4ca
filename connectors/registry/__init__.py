"""The registry of organisations, networks, systems, machines and accounts, each from when to when.

Files are YAML with any of the sections, or tables named after one (`users.csv`, `assets-2026.csv`) for long lists. A
table with headings of somebody else is read by a `Table`, which tells what they mean. What is wrong costs its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from connectors.nodes import read_yaml
from connectors.refusals import keys_of, refusals
from connectors.registry.contradictions import Rows, contradictions
from connectors.registry.models import CODES, SECTIONS, Asset, Net, Row, System, Table, Unit, User, keys
from connectors.registry.tables import PlaceOf, table
from connectors.written import known
from detectors.errors import DefinitionError, Place

BUILT_IN: Final = Path(__file__).with_name("gialai.yml")


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that is registered; later rows of a key replace nothing, they hold at other times."""

    units: tuple[Unit, ...] = ()
    networks: tuple[Net, ...] = ()
    systems: tuple[System, ...] = ()
    assets: tuple[Asset, ...] = ()
    users: tuple[User, ...] = ()
    faults: tuple[DefinitionError, ...] = ()  # what was left out, and why


@dataclass(slots=True)
class _Reading:
    rows: dict[str, Rows] = field(default_factory=lambda: {name: [] for name in SECTIONS})
    faults: list[DefinitionError] = field(default_factory=list)


def read(paths: Iterable[Path | Table] = (), *, built_in: bool = True) -> Registry:
    """Read the registry: the province's units, and the files and folders given; what is wrong stands in `faults`."""
    reading = _Reading()
    for path in [*([BUILT_IN] if built_in else []), *_files(paths)]:
        _read(path, reading)
    wrong = list(contradictions(reading.rows))
    left_out = {id(row) for row, _ in wrong}
    rows = {name: tuple(row for row, _ in found if id(row) not in left_out) for name, found in reading.rows.items()}
    networks = [Net(network=each, unit=unit.code, since=unit.since, until=unit.until)  # type: ignore[call-arg]
                for unit in rows["units"] for each in unit.networks]  # fmt: skip
    return Registry(
        rows["units"], (*networks, *rows["networks"]), rows["systems"], rows["assets"], rows["users"],
        (*reading.faults, *(fault for _, fault in wrong)),
    )  # fmt: skip


def _files(paths: Iterable[Path | Table]) -> Iterator[Path | Table]:
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix in {".yml", ".yaml", ".csv"})
        else:
            yield path


def _read(given: Path | Table, reading: _Reading) -> None:
    try:
        for name, value, place in _rows(given):
            if isinstance(value, DefinitionError):
                reading.faults.append(value)
                continue
            try:
                reading.rows[name].append((SECTIONS[name].model_validate(value), place([])))
            except ValidationError as error:
                reading.faults += _refused(error, value, SECTIONS[name], place)
    except DefinitionError as error:
        reading.faults.append(error)


def _rows(given: Path | Table) -> Iterator[tuple[str, Any, PlaceOf]]:
    if isinstance(given, Table):
        return table(given.path, given.section, given.columns)
    if given.suffix != ".csv":
        return _document(given)
    name = next((each for each in SECTIONS if given.stem.startswith(each)), None)
    if name is None:
        fix = (
            f"name it after one of {', '.join(SECTIONS)}, or write {{path: {given.name}, section: units, columns: "
            "{code: HEADING, …}} under enrichment.registry"
        )
        raise DefinitionError("no registry", place=Place(str(given)), fix=fix)
    return table(given, name, {})


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


def _refused(error: ValidationError, value: object, model: type[Row], place: PlaceOf) -> Iterator[DefinitionError]:
    for fault in refusals(error, value, lambda path: keys(model) if not path else keys_of(model, path)):
        message, fix = fault.named, fault.fix
        if fault.path and fault.path[0] in CODES and isinstance(value, Mapping) and fault.path[0] in value:
            message, fix = f"{value[fault.path[0]]!r} is no code of an organisation", "write it as H21.09 or H21.106"
        yield DefinitionError(message, place=place(fault.path), fix=fix)
