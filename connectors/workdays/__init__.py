"""The work calendar from its files, one per year: those of the program, and those of a folder of the operator's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from connectors.faults import DefinitionsError, refused
from connectors.mapping import Strict
from connectors.nodes import Node, read_yaml
from detectors.errors import DefinitionError, Place
from detectors.workdays import Day, Hours, Workdays

BUILT_IN: Final = Path(__file__).parent
HOME: Final = "Asia/Ho_Chi_Minh"


class Span(Strict):
    """Days from one to another, both included."""

    since: date = Field(alias="from")
    until: date | None = Field(default=None, alias="to")
    name: str = ""
    sure: bool = True

    @property
    def days(self) -> Iterator[date]:
        end = self.until or self.since
        return (self.since + timedelta(days=n) for n in range((end - self.since).days + 1))


class Year(Strict):
    """A year's days off, and its rest days that are worked."""

    year: int = Field(ge=2000, le=2200)
    holidays: tuple[Span, ...] = ()
    tet: Span | None = None
    worked: tuple[date, ...] = ()


def read(
    folder: Path | None = None,
    *,
    zone: str = HOME,
    hours: Mapping[str, Hours] | None = None,
    duty: Iterable[str] = (),
    told: Callable[[DefinitionError], object] = lambda _: None,
) -> Workdays:
    """Read the calendar; a year of the folder replaces the program's. `told` hears what is wrong."""
    years: dict[int, Year] = {}
    for path in [*_files(BUILT_IN), *(_files(folder, told) if folder else ())]:
        try:
            year = _year(path)
            years[year.year] = year
        except DefinitionsError as wrong:
            for fault in wrong.faults:
                told(fault)
    known = {day: kind for year in years.values() for day, kind in _days(year)}
    return Workdays(ZoneInfo(zone), known, hours=dict(hours or {}), duty=frozenset(duty))


def _files(folder: Path, told: Callable[[DefinitionError], object] = lambda _: None) -> list[Path]:
    if not folder.is_dir():
        told(DefinitionError("there is no such folder", place=Place(str(folder)), fix="correct `enrichment.workdays`"))
    return sorted(folder.glob("*.yml"))


def _year(path: Path) -> Year:
    try:
        node = read_yaml(path)
    except DefinitionError as error:
        raise DefinitionsError([error]) from None
    try:
        year = Year.model_validate(node.value)
    except ValidationError as error:
        raise DefinitionsError(refused(error, node, Year)) from None
    if faults := list(_faults(year, node)):
        raise DefinitionsError(faults)
    return year


def _faults(year: Year, node: Node) -> Iterator[DefinitionError]:
    """Yield what can't be: days of other years, spans that run backwards or meet, working days that are ones anyway."""
    off: dict[date, int] = {}
    for number, span in enumerate(year.holidays):
        place = node.place(("holidays", number))
        if span.until is not None and span.until < span.since:
            message = f"days off end on {span.until}, before they begin"
            yield DefinitionError(message, place=place, fix="write `to` after `from`")
        for day in span.days:
            if day.year != year.year:
                yield _elsewhere(day, year, place)
            if day in off:
                yield DefinitionError(f"{day} is off already by entry {off[day] + 1}", place=place, fix="join them")
            off.setdefault(day, number)
    for number, day in enumerate(year.worked):
        yield from _worked(day, year, off, node.place(("worked", number)))
    for day in year.tet.days if year.tet else ():
        if day not in off:
            yield DefinitionError(
                f"{day} is of Tết but not off", place=node.place(["tet"]), fix="let `holidays` hold it"
            )


def _worked(day: date, year: Year, off: Collection[date], place: Place) -> Iterator[DefinitionError]:
    if day.year != year.year:
        yield _elsewhere(day, year, place)
    if day in off:
        yield DefinitionError(f"{day} is both off and worked", place=place, fix="leave one of them out")
    elif day.weekday() < 5:
        message = f"{day} is a {day:%A}, which is worked anyway"
        yield DefinitionError(message, place=place, fix="name the weekend day that is worked")


def _elsewhere(day: date, year: Year, place: Place) -> DefinitionError:
    return DefinitionError(f"{day} is no day of {year.year}", place=place, fix="put it into the file of its year")


def _days(year: Year) -> Iterator[tuple[date, Day]]:
    tet = set(year.tet.days) if year.tet else set()
    for span in year.holidays:
        for day in span.days:
            yield day, "tet" if day in tet else "holiday"
    yield from ((day, "swapped") for day in year.worked)
