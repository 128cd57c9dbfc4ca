"""Sheets for people: a title, numbers, and tables, as one HTML page that loads nothing and prints well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

from markupsafe import Markup

from detectors.numbers import number
from flows.documents import write_text
from flows.report.cards import cut
from flows.templates import pages
from flows.triage.printing import print_pdf

CELL: Final = 300  # characters of a cell


@dataclass(frozen=True, slots=True)
class Table:
    """A part of a sheet; `none` is said where it has no rows, `note` under its title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    none: str = ""
    note: str = ""
    levels: bool = False  # the first cell is a level: (level, word)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole."""

    title: str
    lang: str
    under: str  # the period, who made it and when
    numbers: Sequence[tuple[str, object]]
    tables: Sequence[Table] = field(default_factory=list)
    foot: str = ""


def write(sheet: Sheet, out: Path) -> None:
    """Write the page as HTML, or as PDF by its name; texts are escaped, cut, and their hidden characters visible."""
    templates = pages("flows.triage", "pages")
    templates.filters["shown"] = lambda value: cut(_text(value, sheet.lang), CELL).text
    style = Markup(files("flows.report").joinpath("page.css").read_text("utf-8"))  # noqa: S704 - our own file
    page = templates.get_template("sheet.html.j2").render(sheet=sheet, style=style)
    if out.suffix.lower() == ".pdf":
        print_pdf(page, out)
        return
    write_text(out, page)


def _text(value: object, lang: str) -> str:
    if isinstance(value, int | float):
        return number(value, lang)
    return "—" if value is None else str(value)
