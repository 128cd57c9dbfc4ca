"""What tells some events from others: a log source, and a few fields with values, as a rule would ask for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from connectors.definition import Definition
from detectors.contracts import Dialect, LogSource
from detectors.errors import UsageError
from detectors.schema import ECS, EVENT
from detectors.sigma.asking import Asking
from detectors.sigma.fold import fold
from detectors.sigma.logsources import Route, routes
from detectors.tables import read_table

FEWEST, ITEMS = 2, 4  # of a proposed selection; one is enough where it tells all others apart
ALWAYS = frozenset({"EventID"})  # tells the kind of an event: asked for wherever all wanted events agree
# ECS fields that tell who it was this time, not what was done
VALUES = 5  # of one item
WHO = ("source.ip", "source.port", "user.name", "user.id", "user.domain", "host.name", "host.hostname", "http.version")
WORDY = frozenset({"request", "Message", "Hostname", "Computer", "Keywords", "SourceName"})  # others tell it better
SHORTEST, LONGEST = 4, 300  # characters of a text worth looking for
_VOLATILE = re.compile(
    r"time|date|guid|bytes|size|length|uuid|hash|record|sequence|session|offset|serial|(^|[^a-z])(p?pid|port|id)$|(process|thread|logon|activity|port|ticket)_?id",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w.:%=+/\\-]{4,}")


@dataclass(frozen=True, slots=True)
class Item:
    """A field with a modifier and values; any of the values will do."""

    field: str
    modifier: str  # "", contains, startswith, endswith
    values: tuple[str, ...]

    @property
    def key(self) -> str:
        """The key of the item in a rule."""
        return f"{self.field}|{self.modifier}" if self.modifier else self.field

    def fits(self, text: str | None) -> bool:
        """Say whether a value fits."""
        return text is not None and any(_FITS[self.modifier](fold(text), fold(value)) for value in self.values)


_FITS: dict[str, Callable[[str, str], bool]] = {
    "": lambda text, value: text == value,
    "contains": lambda text, value: value in text,
    "startswith": lambda text, value: text.startswith(value),
    "endswith": lambda text, value: text.endswith(value),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule's log source and selection, and how many of the other events it also matches."""

    logsource: LogSource
    items: tuple[Item, ...]
    remaining: int


def propose(
    definition: Definition, wanted: pl.DataFrame, others: pl.DataFrame, siblings: Iterable[LogSource] = ()
) -> Proposal:
    """Propose what is true of all wanted events and of few others (none, if that can be had).

    `siblings` are the log sources of all sources: a category that several of them have is meant as a whole.

    Raises:
        UsageError: the events have nothing in common, or their source no log source.
    """
    dialect = definition.dialect
    logsource, route = _logsource(dialect, wanted, siblings)
    left = Asking(dialect, others).takes(route)
    against = others[[row for row in range(others.height) if left >> row & 1]]
    who = {
        name
        for target in WHO
        if target in definition.fields
        for way in definition.fields[target]
        for name in way.sources
    }
    candidates = [item for name in _names(wanted, route) if name not in who for item in _items(name, wanted)]
    chosen, against = _chosen(candidates, against)
    if not chosen:
        raise UsageError("the events have no value in common", fix="choose events that are more alike")
    called = {own: name for name, columns in route.fields.items() for own in columns}
    items = tuple(Item(called.get(item.field, item.field), item.modifier, item.values) for item in chosen)
    return Proposal(logsource, items, against.height)


def _chosen(candidates: list[Item], against: pl.DataFrame) -> tuple[list[Item], pl.DataFrame]:
    """Choose items, each the one that leaves the fewest other events; return them and the events left."""
    chosen: list[Item] = []
    fewest = 1 if against.height else FEWEST
    while len(chosen) < ITEMS and candidates and (against.height or len(chosen) < fewest):
        best = min(candidates, key=lambda item: (item.field not in ALWAYS, _matching(item, against), _rank(item)))
        if chosen and against.height and _matching(best, against) == against.height:
            break
        chosen.append(best)
        against = _narrowed(against, best)
        candidates = [item for item in candidates if item.field != best.field]
    return chosen, against


def _narrowed(others: pl.DataFrame, item: Item) -> pl.DataFrame:
    return others.filter(pl.Series([item.fits(text) for text in _column(others, item.field)], dtype=pl.Boolean))


def _logsource(dialect: Dialect, wanted: pl.DataFrame, siblings: Iterable[LogSource]) -> tuple[LogSource, Route]:
    """Return the narrowest log source that all wanted events belong to, and their route there."""
    own = dialect.logsource
    asking = Asking(dialect, wanted)
    table = read_table("sigma/logsources.yml").get(own.product or "", {})
    names = [LogSource(name, own.product, None) for name in table.get("categories", {})]
    names += [LogSource(None, own.product, name) for name in table.get("services", {})]
    found = [
        (len(route.where), -len(routes(name, own)), name, route)
        for name in names
        for route in routes(name, own)
        if route.where and asking.takes(route) == asking.every
    ]
    if found:
        _, _, name, route = max(found, key=lambda each: (each[:2], str(each[2])))
        return name, route
    if own == LogSource():
        message = f"the source {dialect.name!r} is no log source of rules"
        raise UsageError(message, fix="write a source definition with `logsource:` for this log first")
    shared = own.category is not None and sum(each.category == own.category for each in siblings) > 1
    return (LogSource(own.category) if shared else own), Route()


def _names(wanted: pl.DataFrame, route: Route) -> Iterator[str]:
    """Yield the columns that may tell events apart: the source's own, without what is new in every event."""
    for name in wanted.columns:
        own = name not in ECS and name not in EVENT and name not in route.where and name not in WORDY
        own = own and not name.startswith("soc.")  # what enrichment adds tells of the province, not of the event
        if own and wanted.schema[name] == pl.String and not _VOLATILE.search(name):
            yield name


def _column(frame: pl.DataFrame, name: str) -> list[str | None]:
    return frame[name].to_list() if name in frame.columns else [None] * frame.height


def _items(name: str, wanted: pl.DataFrame) -> Iterator[Item]:
    """Yield what can be asked of a column so that all wanted events fit."""
    texts = _column(wanted, name)
    there = [text for text in texts if text]
    if len(there) < len(texts):
        return
    values = tuple(dict.fromkeys(there))
    if len(values) <= VALUES and all(len(value) <= LONGEST for value in values):
        yield Item(name, "", values)
    lower = [fold(text) for text in there]
    tails = tuple(dict.fromkeys(text[_cut(text) :] for text in there)) if all(_cut(text) for text in there) else ()
    if tails and len(tails) <= VALUES:
        yield Item(name, "endswith", tails)
    head = _head(lower)
    if len(values) > 1 and len(head) >= SHORTEST:
        yield Item(name, "startswith", (there[0][: len(head)],))
    yield from (Item(name, "contains", (word,)) for word in _common(there[0], lower))


def _head(texts: Sequence[str]) -> str:
    """Return how all texts begin."""
    low, high = min(texts), max(texts)
    return next((low[:at] for at, letter in enumerate(low) if letter != high[at : at + 1]), low)


def _cut(path: str) -> int:
    """Return where the last part of a Windows path begins, with its separator; 0 where there is none."""
    return max(path.rfind("\\"), 0) if " " not in path[path.rfind("\\") :] else 0


def _common(first: str, lower: Sequence[str]) -> list[str]:
    """Return the words of a text that all texts hold, the longest first."""
    words = {word for word in _WORD.findall(first) if len(word) < len(first) and len(word) <= LONGEST}
    return sorted((word for word in words if all(fold(word) in text for text in lower)), key=len, reverse=True)[:10]


def _matching(item: Item, others: pl.DataFrame) -> int:
    return sum(item.fits(text) for text in _column(others, item.field))


def _rank(item: Item) -> tuple[int, int, int]:
    """Prefer, of items that tell alike, few values, a form that survives other folders and words, longer texts."""
    form = ("endswith", "", "contains", "startswith").index(item.modifier)
    numbers = len(item.values) > 1 and all(value.isdigit() for value in item.values)
    short = item.modifier == "" and max(map(len, item.values)) > 80
    return len(item.values) + 10 * numbers, form + 3 * short, -len(item.values[0])
