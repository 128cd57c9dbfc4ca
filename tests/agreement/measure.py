"""Parses the reference logs as `soc parse` does and compares the events with the expected documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.files import FileSource
from connectors.lines import records
from connectors.parser import DefinedParser, to_ecs
from connectors.recognise import recognise
from detectors.contracts import Batch
from tests.agreement.cases import Case, Document, cases, flat
from tests.agreement.compare import Tally, Vocabulary, compare, vocabulary
from tests.agreement.sources import SOURCES

REFERENCE: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
MACHINE: Final = "-02:00"  # Filebeat's own tests run in Etc/GMT+2
definitions = cache(load_definitions)


@cache
def ecs() -> Vocabulary:
    """Return ECS."""
    return vocabulary(REFERENCE)


def events(case: Case, definition: Definition) -> list[Document]:
    """Parse a case; a line that can't be parsed gives an empty document."""
    machine = None if definition.zone == "UTC" else MACHINE  # logs that are always in UTC don't follow it
    parser = DefinedParser(definition, zone=case.zone or machine, year=case.year)
    found: list[tuple[tuple[int, int], Document]] = []
    for batch in _batches(case, definition.name):
        parsed = parser.parse(batch, None)
        places = parsed.events.select("log.offset", "soc.index").rows()
        found += zip(places, map(flat, to_ecs(parsed.events, definition)), strict=True)
        found += [(place, {"log.offset": place[0]}) for place in parsed.dead.select("log.offset", "soc.index").rows()]
    return [document for _, document in sorted(found, key=lambda one: one[0])]


def _batches(case: Case, source: str) -> Iterator[Batch]:
    if case.lines is not None:
        yield Batch(source, "file:case", str(case.path), records(case.lines, range(len(case.lines))))
        return
    files = FileSource([case.path], lambda *_: None, source, dead=_ignored)
    yield from files.batches()
    files.close()


def measure(case: Case, source: str | None) -> Tally:
    """Compare a case's events with what is expected; without a source nothing is met."""
    found = events(case, definitions()[source]) if source is not None and source in definitions() else []
    tally = Tally()
    for place, match in _aligned(case.expected, found):
        expected, given = ecs().said(case.told_at(place)), case.given_at(place)
        if isinstance(name := expected.get("host.name"), str) and name in case.settings:
            given = {**given, "host.name": name}
        tally.add(compare(expected, match, given, case.dynamic, f"{case.path.name}:{place + 1}"))
    return tally


def _aligned(expected: Sequence[Document | None], found: Sequence[Document]) -> Iterator[tuple[int, Document]]:
    """Yield the place of each expected document and the event it is expected of.

    Offsets tell it, else the first line of the original text, else the order among the records that became events.
    """
    by_offset = {one.get("log.offset"): one for one in found}
    by_text: dict[str, list[Document]] = defaultdict(list)
    for one in found:
        if text := _first_line(one):
            by_text[text].append(one)
    places = [place for place, one in enumerate(expected) if one is not None]
    alive = [one for one in found if len(one) > 1]
    order = dict(zip(places, alive, strict=True)) if len(alive) == len(places) else dict(enumerate(found))
    for place in places:
        one = expected[place] or {}
        same = by_text.get(_first_line(one), [])
        if "log.offset" in one:
            yield place, by_offset.get(one["log.offset"], {})
        else:
            yield place, same.pop(0) if same else order.get(place, {})


def _first_line(document: Document) -> str:
    text = document.get("event.original")
    text = text[0] if isinstance(text, list) and text else text
    return text.strip().split("\n")[0].strip() if isinstance(text, str) else ""


def tallies(reference: Path) -> dict[str, Tally]:
    """Return how much of what is expected is met in each folder that has a source."""
    found: dict[str, Tally] = defaultdict(Tally)
    for case in cases(reference):
        if source := SOURCES.get(case.folder):
            found[case.folder].add(measure(case, source))
    return found


def formats(found: Mapping[str, Tally]) -> dict[str, Tally]:
    """Return how much is met by format: a source, over all folders of its logs.

    Two versions of one Elastic module expect different things of the same line; no parser can meet both.
    """
    by_format: dict[str, Tally] = defaultdict(Tally)
    for folder, tally in found.items():
        by_format[SOURCES[folder]].add(tally)
    return by_format


def told(case: Case, known: Mapping[str, Definition]) -> str | None:
    """Name the source that a case is recognised to be of, or None."""
    if case.lines is not None:
        answer = recognise(case.lines, known, case.path.name)
        return answer.source if answer else None
    files = FileSource([case.path], lambda sample, label: recognise(sample, known, Path(label).name), dead=_ignored)
    source = next((batch.source for batch in files.batches()), None)
    files.close()
    return source


def _ignored(_: pl.DataFrame) -> None:
    """Take dead letters, which count as events without fields."""
