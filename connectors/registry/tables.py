"""Tables of the registry as spreadsheets write them: CSV in UTF-8, with a comma, a semicolon or a tab between cells.

name;unit;from
lannt;H21.106;2025-07-01
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.registry.models import SECTIONS, Row, keys
from detectors.errors import DefinitionError, Place

SEPARATORS: Final = ",;\t"
PlaceOf = Callable[[Sequence[int | str]], Place]


def table(path: Path, section: str, columns: Mapping[str, str]) -> Iterator[tuple[str, Any, PlaceOf]]:
    """Yield section, row or what is wrong with it, and its place; `columns` tells the headings of keys.

    Raises:
        DefinitionError: the file or its headings can't be read; or its rest, after a quote that doesn't end.
    """
    lines = _lines(path)
    reader = csv.reader(lines, delimiter=_separator(lines[0]), strict=True)
    headings: list[str] = []
    line = 1
    try:
        for cells in reader:
            place, line = Place(str(path), line), reader.line_num + 1
            if not headings:
                headings = [cell.strip() for cell in cells]
                _look_at_headings(headings, SECTIONS[section], columns, place)
            elif cells:
                yield section, _row(cells, headings, columns, place), lambda _, place=place: place  # type: ignore[misc]
    except csv.Error as error:
        fix = 'close the quote there; a quote inside a cell is written twice: "a ""b"" c"'
        message = f"from here on it is no table: {error}"
        raise DefinitionError(message, place=Place(str(path), line), fix=fix) from None


def _lines(path: Path) -> list[str]:
    try:
        raw = path.read_bytes()
        lines = list(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        raise DefinitionError(message, place=Place(str(path)), fix="correct the path, or who may read it") from None
    except UnicodeDecodeError as error:
        place = Place(str(path), raw.count(b"\n", 0, error.start) + 1)
        raise DefinitionError("is not in UTF-8", place=place, fix="save it as `CSV UTF-8`") from None
    if not lines:
        raise DefinitionError("is empty", place=Place(str(path)), fix="write the headings and a line for each row")
    return lines


def _separator(headings: str) -> str:
    """Return what stands between cells: spreadsheets in Vietnamese write a semicolon."""
    return max(SEPARATORS, key=headings.count)


def _row(cells: Sequence[str], headings: Sequence[str], columns: Mapping[str, str], place: Place) -> object:
    if len(cells) != len(headings):
        fix = "write a cell for each heading, and in quotes what holds a separator"
        return DefinitionError(f"{len(cells)} cells under {len(headings)} headings", place=place, fix=fix)
    row = {heading: cell.strip() for heading, cell in zip(headings, cells, strict=True)}
    return {key: row[heading] for key, heading in columns.items()} if columns else row


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
