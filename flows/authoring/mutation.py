"""What a rule's tests are worth: leave one thing out of the rule, and some test must fail.

A value, an item, a part of the condition or a `not` that may go without any test noticing is either of no use or not
tested. All of it is asked of the outline, so that thousands of changes take no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectors.errors import Place
from detectors.sigma.asking import Asking, Bits
from detectors.sigma.document import Document
from detectors.sigma.logsources import Route, routes
from detectors.sigma.outline import Change, Piece, changes, outline
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows import ruletests
from flows.assembly import Parts


@dataclass(frozen=True, slots=True)
class Survivor:
    """Something that may be left out of a rule, and no test fails."""

    place: Place
    message: str
    fix: str

    def __str__(self) -> str:
        """Return `place: message; fix`."""
        return f"{self.place}: {self.message}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes of a rule were tried, and those that its tests don't notice."""

    tried: int
    survivors: tuple[Survivor, ...]

    @property
    def share(self) -> float:
        """The share of changes that a test notices, 0 to 1."""
        return 1 - len(self.survivors) / self.tried if self.tried else 1.0


@dataclass(frozen=True, slots=True)
class _Asked:
    asking: Asking
    routes: Sequence[Route]
    expected: Bits


@dataclass(frozen=True, slots=True)
class Tried:
    """A detection, how much may be left out of it, and what of that no test notices."""

    top: Piece
    count: int
    unnoticed: tuple[Change, ...]


def score(rule: Rule, parts: Parts, lists: Lists) -> Score:
    """Leave everything out of a rule in turn, and say what its tests don't notice."""
    tried = leave_out(rule, parts, lists)
    return Score(tried.count, tuple(map(survivor, tried.unnoticed))) if tried else Score(0, ())


def leave_out(rule: Rule, parts: Parts, lists: Lists) -> Tried | None:
    """Leave everything out of a rule in turn; None where its file has changed since it was read."""
    document = ruletests.document_of(rule)
    if document is None:
        return None
    top = outline(document, lists)
    asked = list(_asked(rule, document, parts))
    tried = list(changes(top))
    unnoticed = (
        change
        for change in tried
        if all(each.asking.matched(top, each.routes, change) == each.expected for each in asked)
    )
    return Tried(top, len(tried), tuple(unnoticed))


def _asked(rule: Rule, document: Document, parts: Parts) -> Iterator[_Asked]:
    """Yield the events of every test that can be run, and which of them must match."""
    for case, made in ruletests.runnable(rule, document, parts):
        asking = Asking(made.dialect, made.events)
        yield _Asked(asking, routes(rule.logsource, made.dialect.logsource), asking.every if case.match else 0)


def survivor(change: Change) -> Survivor:
    """Say what no test notices."""
    piece = change.piece
    if change.at is None:
        what = (
            f"`{piece.parts[0].label}` is denied"
            if piece.role == "item"
            else f"`not` stands before `{piece.parts[0].label}`"
        )
        return Survivor(piece.place, f"no test notices that {what}", "add an event that only this keeps from matching")
    part = piece.parts[change.at]
    place = piece.place if piece.role == "condition" else part.place
    where = f" of `{piece.label}`" if part.role == "value" else " in the condition" if piece.role == "condition" else ""
    told = f"no test fails without {'the value ' * (part.role == 'value')}`{part.label:.80}`{where}"
    if piece.kind == "any":
        return Survivor(place, told, "add an event that matches by this alone")
    return Survivor(place, told, "add an event that fits all but this, and must not match")
