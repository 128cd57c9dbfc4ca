"""The names that a rule may give to fields, by what is known of the sources it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from connectors.kept import contents
from detectors.contracts import LogSource
from detectors.nearest import closest
from detectors.sigma.document import Document
from detectors.sigma.eventfields import documented
from detectors.sigma.logsources import Route, routes
from detectors.tables import read_table
from flows import assembly
from flows.authoring.memo import Memo
from flows.settings import Settings

if TYPE_CHECKING:
    from connectors.definition import Definition

_NEAR = 0.85  # of a field to one that is known, where events may have others
Legal = frozenset[str] | None  # None: events may have any field, or no source here is meant


class Fields:
    """What rules may name, worked out once per log source.

    Definitions are loaded when something is asked that `memo` (which must depend on them) doesn't know.
    """

    def __init__(self, load: Callable[[], Mapping[str, Definition]], memo: Memo | None = None) -> None:
        self._load, self._memo = load, memo or Memo(None, "fields")
        self._known: dict[LogSource, Legal] = {}
        self._written: dict[LogSource, frozenset[str]] = {}

    def legal(self, logsource: LogSource) -> Legal:
        """Return every name that means something to a rule of this log source on any source."""
        if logsource not in self._known:
            known = self._memo.known(f"legal {logsource!r}".encode(), lambda: self._legal(logsource))
            self._known[logsource] = None if known is None else frozenset(known)
        return self._known[logsource]

    def words(self) -> dict[str, list[str]]:
        """Return the names of categories, products and services of which there are events."""
        found: dict[str, list[str]] = self._memo.known(b"words", self._words)
        return found

    def sources(self) -> list[str]:
        """Return the names of all sources."""
        found: list[str] = self._memo.known(b"sources", lambda: sorted(self._definitions))
        return found

    def logsources(self) -> list[LogSource]:
        """Return the log source of each source."""
        return [LogSource(*parts) for parts in self._memo.known(b"log sources", self._logsources)]

    def _logsources(self) -> list[list[str | None]]:
        named = [each.logsource for each in self._definitions.values()]
        return [[each.category, each.product, each.service] for each in named]

    def save(self) -> None:
        """Keep what is new."""
        self._memo.save()

    def _words(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {"category": set(), "product": set(), "service": set()}
        for definition in self._definitions.values():
            for part, names in found.items():
                names.update(filter(None, [getattr(definition.logsource, part)]))
        for product, kinds in read_table("sigma/logsources.yml").items():
            found["category"].update(kinds.get("categories", ()))
            found["service"].update(kinds.get("services", ()))
            found["product"].update([product] if product != "*" else [])
        return {part: sorted(names) for part, names in found.items()}

    def _legal(self, logsource: LogSource) -> list[str] | None:
        names = [
            _names(definition, route)
            for definition in self._definitions.values()
            for route in routes(logsource, definition.dialect.logsource)
            if _mentioned(definition).issuperset(route.where)
        ]
        closed = [each for each in names if each is not None]
        return sorted(set[str]().union(*closed)) if names and len(closed) == len(names) else None

    @cached_property
    def _definitions(self) -> Mapping[str, Definition]:
        return self._load()

    def knows(self, name: str, logsource: LogSource) -> bool:
        """Say whether a field, or one that may hold it, can have a value."""
        legal = self.legal(logsource)
        return legal is None or any(part in legal for part in accumulate(name.split("."), "{}.{}".format))

    def offered(self, logsource: LogSource) -> frozenset[str]:
        """Return the names to offer to somebody who writes a rule of this log source."""
        legal = self.legal(logsource)
        return legal if legal is not None else self.written(logsource) | documented(logsource.product)

    def written(self, logsource: LogSource) -> frozenset[str]:
        """Return the names that definitions know of its events, whatever else these have."""
        if logsource not in self._written:
            known = self._memo.known(f"written {logsource!r}".encode(), lambda: self._names(logsource))
            self._written[logsource] = frozenset(known)
        return self._written[logsource]

    def _names(self, logsource: LogSource) -> list[str]:
        names = [
            _written(definition, route)
            for definition in self._definitions.values()
            for route in routes(logsource, definition.dialect.logsource)
        ]
        return sorted(set[str]().union(*names))

    def nearly(self, name: str, logsource: LogSource) -> str | None:
        """Return the field that is probably meant where events may have any: one that is known, nearly the same.

        Products whose events are documented elsewhere (Windows) have too many that nobody lists here.
        """
        if documented(logsource.product):
            return None
        known = self.written(logsource)
        if any(part in known for part in accumulate(name.split("."), "{}.{}".format)):
            return None
        near = closest(name, sorted(known), _NEAR)
        return near if near and near.lower() != name.lower() else None


def kept(settings: Settings) -> Fields:
    """Return what rules may name by the definitions of the settings; what was worked out once is kept."""
    memo = Memo(settings.cache, "fields", contents(settings.sources))
    return Fields(lambda: assembly.definitions(settings), memo)


def _written(definition: Definition, route: Route) -> set[str]:
    """Return the names that a definition knows of its events, whatever else they have."""
    named = {*definition.fields, *definition.aliases, *definition.mapped, *route.fields, *definition.dialect.aliases}
    return named.union(_columns(definition, route) or ())


def spelled(name: str, logsource: LogSource) -> str | None:
    """Return how documented events of the product write a field, where they write it in other letters only."""
    known = documented(logsource.product)
    lower = name.lower()
    return None if name in known else next((each for each in sorted(known) if each.lower() == lower), None)


def _mentioned(definition: Definition) -> set[str]:
    """Return the columns that a definition speaks of: a route by any other is not one that its events take."""
    return {
        *(definition.own_columns or ()),
        *definition.output.names,
        *definition.recognise.values,
        *definition.mapped,
    }


def _names(definition: Definition, route: Route) -> Legal:
    columns = _columns(definition, route)
    if columns is None:
        return None
    aliases = {**definition.dialect.aliases, **route.fields}
    return columns.union(name for name, own in aliases.items() if columns.intersection(own))


def _columns(definition: Definition, route: Route) -> Legal:
    from flows import blindness  # noqa: PLC0415 - formats and enrichment: not where all is known already

    return blindness.columns(definition, route)


def items(body: object, *path: object) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield each key of a detection that names a field, as it is written, and its path."""
    if isinstance(body, dict):
        for key, inner in body.items():
            if isinstance(inner, dict):
                yield from items(inner, *path, key)
            else:
                yield str(key), (*path, key)
    elif isinstance(body, list):
        for at, inner in enumerate(body):
            yield from items(inner, *path, at)


def named(document: Document) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield each field that a rule names, with the path of its key; modifiers are left out, keywords have no name."""
    detection = document.data.get("detection")
    for part, body in detection.items() if isinstance(detection, dict) else ():
        if part not in ("condition", "timeframe"):
            for key, path in items(body, "detection", part):
                if name := key.partition("|")[0]:
                    yield name, path
