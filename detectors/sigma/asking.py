"""Single questions about few events, answered plainly: which rows a predicate is true of, and what it saw there.

The engine is quick over many events and forgets why. Here nothing is skipped and nothing is remembered for speed;
what is true of rows is a set of bits, the lowest for the first row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import accumulate
from operator import and_, or_

import polars as pl

from detectors.contracts import Dialect
from detectors.sigma.columns import KEYWORDS, Chain
from detectors.sigma.fold import fold
from detectors.sigma.keywords import leaves
from detectors.sigma.logsources import Route
from detectors.sigma.outline import Change, Piece
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Or, Predicate
from detectors.sigma.truth import REFERENCES, holds

Bits = int
Seen = list[str] | None  # the texts of a field in one event; None: it has no value there


class Asking:
    """Events of one source, to be asked one predicate at a time."""

    def __init__(self, dialect: Dialect, events: pl.DataFrame) -> None:
        self.dialect, self.events = dialect, events
        self.every: Bits = (1 << events.height) - 1
        self._columns: dict[str, list[Seen]] = {}
        self._pieces: dict[tuple[Piece, int], Bits] = {}
        self._without: dict[tuple[Piece, int], list[Bits]] = {}
        self._answers: dict[tuple[Predicate, *tuple[Chain, ...]], Bits] = {}

    def takes(self, route: Route) -> Bits:
        """Return the rows that take a route."""
        taken = self.every
        for name, values in route.where.items():
            taken &= _holding(Predicate(name, "equals", tuple(values)), self._column(name))
        return taken

    def true(self, node: Node, route: Route) -> Bits:
        """Return the rows that a tree is true of, its fields called as they are on the route."""
        match node:
            case Predicate():
                return self._answer(node, route)
            case Not(part):
                return self.every & ~self.true(part, route)
            case And(parts):
                found = self.every
                for part in parts:
                    found &= self.true(part, route)
                return found
            case Or(parts):
                found = 0
                for part in parts:
                    found |= self.true(part, route)
                return found

    def matched(self, piece: Piece, by: Iterable[Route], change: Change | None = None) -> Bits:
        """Return the rows that a piece is true of on any of the routes, with or without a change somewhere in it."""
        found = 0
        for route in by:
            found |= self.takes(route) & self.piece(piece, route, change)
        return found

    def piece(self, piece: Piece, route: Route, change: Change | None = None) -> Bits:
        """Return the rows that a piece is true of on a route, whether or not they take it."""
        if change is not None and piece is change.piece:
            return self._changed(change, route)
        if change is not None and piece in change.above:
            return self._joined(piece, [self.piece(part, route, change) for part in piece.parts])
        key = (piece, id(route))  # the routes of a log source are made once, and stay
        if key not in self._pieces:
            parts = [self.piece(part, route) for part in piece.parts]
            self._pieces[key] = self.true(piece.asks, route) if piece.asks else self._joined(piece, parts)
        return self._pieces[key]

    def _joined(self, piece: Piece, parts: list[Bits]) -> Bits:
        if piece.kind == "not":
            return self.every & ~parts[0]
        return reduce(and_, parts, self.every) if piece.kind == "all" else reduce(or_, parts, 0)

    def _changed(self, change: Change, route: Route) -> Bits:
        """Return the rows that a piece is true of without one of its parts: all such answers are worked out at once."""
        piece = change.piece
        if change.at is None:
            return self.piece(piece.parts[0], route)
        key = (piece, id(route))
        if key not in self._without:
            join, start = (and_, self.every) if piece.kind == "all" else (or_, 0)
            parts = [self.piece(part, route) for part in piece.parts]
            before = accumulate(parts, join, initial=start)
            after = reversed([*accumulate(reversed(parts[1:]), join, initial=start)])
            self._without[key] = [*map(join, before, after)]
        return self._without[key][change.at]

    def seen(self, field: str | None, route: Route) -> list[Seen]:
        """Return what each event has in a field: in the first column that has anything; of None, the whole event."""
        return self._values(self._chain(field, route))

    def _answer(self, predicate: Predicate, route: Route) -> Bits:
        others = predicate.values[:1] if predicate.op in REFERENCE_OPS else ()
        chains = [self._chain(name, route) for name in (predicate.field, *others)]
        if (predicate, *chains) not in self._answers:
            values = [self._values(names) for names in chains]
            self._answers[predicate, *chains] = (
                _compared(predicate.op, *values) if others else _holding(predicate, *values)
            )
        return self._answers[predicate, *chains]

    def _chain(self, field: str | None, route: Route) -> Chain:
        return KEYWORDS if field is None else route.columns(field, self.dialect)

    def _values(self, names: Chain) -> list[Seen]:
        if names == KEYWORDS:
            lines = self.events["event.original"].to_list()
            return [[leaves(line) if self.dialect.structured else line] for line in lines]
        columns = [self._column(name) for name in names]
        return [next((value for value in values if value is not None), None) for values in zip(*columns, strict=True)]

    def _column(self, name: str) -> list[Seen]:
        if name not in self._columns:
            self._columns[name] = _texts(self.events, name)
        return self._columns[name]


def _holding(predicate: Predicate, values: list[Seen]) -> Bits:
    """Return the rows where any text of a field satisfies a predicate; one that is not there satisfies absence."""
    if predicate.op in ABSENCE_OPS or predicate.op in ("present", "exists"):
        return _bits([(value is None) == (predicate.op in ABSENCE_OPS) for value in values])
    owned = [(text, row) for row, value in enumerate(values) for text in value or ()]
    answers = holds(predicate, [text for text, _ in owned])
    return sum(1 << row for row in {row for (_, row), answer in zip(owned, answers, strict=True) if answer})


def _compared(op: str, values: list[Seen], others: list[Seen]) -> Bits:
    return _bits([_refers(op, mine, theirs) for mine, theirs in zip(values, others, strict=True)])


def _refers(op: str, mine: Seen, theirs: Seen) -> bool:
    return any(REFERENCES[op](fold(left), fold(right)) for left in mine or () for right in theirs or ())


def _texts(events: pl.DataFrame, name: str) -> list[Seen]:
    if name not in events.columns:
        return [None] * events.height
    series = events[name]
    if isinstance(series.dtype, pl.List):
        lists = series.cast(pl.List(pl.String)).to_list()
        return [None if value is None else [text for text in value if text is not None] for value in lists]
    timed = isinstance(series.dtype, pl.Datetime | pl.Date)
    texts = (series.dt.to_string("iso") if timed else series.cast(pl.String)).to_list()
    return [None if text is None else [text] for text in texts]


def _bits(answers: list[bool]) -> Bits:
    return sum(1 << place for place, answer in enumerate(answers) if answer)
