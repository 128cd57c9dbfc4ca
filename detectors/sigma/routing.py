"""Which rows take which of a source's routes.

A frame has few combinations of the columns that routes look at (for Windows events the channel, the event id and the
provider); which routes one takes is worked out once, and the engine asks for the rows that it is about to look at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.sigma.columns import Rows, Table
from detectors.sigma.logsources import Route
from detectors.sigma.predicates import Predicate
from detectors.sigma.vocabulary import Flags

_DENSE = 1 << 16  # numbers up to which a table is quicker than sorting
_KNOWN = 10_000  # combinations that are remembered from one frame to the next

Combination = tuple[object, ...]


class Taken:
    """Which rows of one frame take which routes; routes go by their numbers."""

    def __init__(self, combined: Rows, taken: Flags) -> None:
        """Take each row's combination, and per route whether each combination takes it."""
        self._combined, self._taken = combined, taken
        self._rows: dict[frozenset[int], Rows] = {}
        self.routes = frozenset(np.flatnonzero(taken.any(axis=1)).tolist())  # those that any row takes

    def narrow(self, rows: Rows, route: int) -> Rows:
        """Return those of the rows that take the route."""
        there: Flags = self._taken[route].take(self._combined.take(rows))
        return rows if np.count_nonzero(there) == rows.size else rows[there]

    def rows(self, routes: frozenset[int]) -> Rows:
        """Return all rows that take any of the routes."""
        if routes not in self._rows:
            takes: Flags = np.logical_or.reduce(self._taken[[*routes]])
            self._rows[routes] = np.flatnonzero(takes[self._combined])
        return self._rows[routes]


class Routing:
    """The routes of a source; remembers which of them a combination of values takes."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._names = sorted({name for route in routes for name in route.where})
        self._asked = [
            [Predicate(name, "equals", tuple(sorted(values))) for name, values in route.where.items()]
            for route in routes
        ]
        self._known: dict[Combination, Flags] = {}

    def taken(self, table: Table) -> Taken:
        """Say which rows of a table take which routes."""
        combined, firsts = self._combined(table)
        found = self._combinations(table, firsts)
        new = [at for at, combination in enumerate(found) if combination not in self._known]
        if new:
            if len(self._known) > _KNOWN:
                self._known.clear()
                new = [*range(len(found))]
            answers = self._ask(table, firsts[new])
            self._known.update({found[at]: answer for at, answer in zip(new, answers, strict=True)})
        return Taken(combined, np.array([self._known[combination] for combination in found]).T)

    def _combined(self, table: Table) -> tuple[Rows, Rows]:
        """Return the number of each row's combination, and a row that has it for each combination."""
        rows = np.arange(table.events.height)
        combined = np.zeros(rows.size, np.int64)
        count = 1
        for name in self._names:
            column = table.column((name,))
            if column is not None:
                codes = column.codes(rows)
                width = len(column.vocabulary) + 1
                combined, count = _renumbered(combined * width + codes + 1, count * width)
        firsts = np.zeros(count, np.int64)
        firsts[combined] = rows
        return combined, firsts

    def _combinations(self, table: Table, firsts: Rows) -> list[Combination]:
        """Return the values of the combinations, which mean the same in every frame."""
        parts: list[list[object]] = []
        for name in self._names:
            column = table.column((name,))
            picked = column.pick(firsts) if column is not None else [None] * firsts.size
            parts.append([tuple(value) if isinstance(value, list) else value for value in picked])
        return [*zip(*parts, strict=True)] if parts else [()] * firsts.size

    def _ask(self, table: Table, rows: Rows) -> Flags:
        """Say for each of the rows which routes it takes."""
        answers: Flags = np.ones((rows.size, len(self._asked)), np.bool_)
        for route, asked in enumerate(self._asked):
            for predicate in asked:
                column = table.column((predicate.field,)) if predicate.field else None
                answers[:, route] &= column.test(predicate, rows) if column is not None else False
        return answers


def _renumbered(numbers: Rows, end: int) -> tuple[Rows, int]:
    """Number what occurs of the numbers below `end` from 0 on, and count it."""
    if end > _DENSE:
        occurring, renumbered = np.unique(numbers, return_inverse=True)
        return renumbered, occurring.size
    there = np.zeros(end, np.int64)
    there[numbers] = 1
    places = np.cumsum(there)
    return places[numbers] - 1, int(places[-1])
