"""`soc rules explain`: every piece of a rule on one event: whether it is true, what it saw, and why it does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from detectors.sigma.asking import Asking, Bits
from detectors.sigma.logsources import EVERYTHING, Route, routes
from detectors.sigma.outline import Piece, outline, pieces
from detectors.sigma.predicates import Node, Not, Predicate, predicates
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows import blindness, ruletests
from flows.assembly import Parts
from flows.authoring import why
from flows.authoring.events import FIELDS, Events

SHOWN = 5  # values of a long list that are shown
COMPARED = 500  # values of a list that are put in order of likeness
LONGEST = 200  # characters of what was seen


@dataclass(frozen=True, slots=True)
class Told:
    """A piece of the rule on one event."""

    label: str
    place: str
    true: bool
    seen: tuple[str, ...] = ()  # what the field holds
    why: str = ""
    parts: tuple[Told, ...] = ()
    left_out: int = 0  # values that are not shown

    def document(self) -> dict[str, Any]:
        """Return the piece as plain data."""
        given = {"label": self.label, "place": self.place, "true": self.true}
        if self.seen:
            given["seen"] = [*self.seen]
        if self.why:
            given["why"] = self.why
        if self.parts:
            given["parts"] = [part.document() for part in self.parts]
        if self.left_out:
            given["left_out"] = self.left_out
        return given


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rule matches an event, or why not."""

    rule: Rule
    source: str
    number: int  # of the event, from 1
    count: int  # of events looked at
    matching: int  # of these
    matches: bool
    obstacles: tuple[str, ...] = ()  # why the event is not the rule's business
    told: Told | None = None

    def document(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        meta = self.rule.meta
        return {
            "rule": {"id": meta.id, "title": meta.title, "place": str(self.rule.place)},
            "event": {"source": self.source, "number": self.number, "of": self.count, "matching": self.matching},
            "matches": self.matches,
            "obstacles": [*self.obstacles],
            "condition": self.told.document() if self.told else None,
        }


def explain(rule: Rule, events: Events, parts: Parts, lists: Lists, number: int | None = None) -> Explanation:
    """Explain a rule on one of the events: that of this number, or the first that matches, or comes nearest to it."""
    document = ruletests.document_of(rule)
    asking = Asking(events.dialect, events.frame)
    ways = routes(rule.logsource, events.dialect.logsource)
    top = outline(document, lists) if document else None
    matched = asking.matched(top, ways) if top and not rule.waits_for else 0
    chosen = number - 1 if number is not None else _nearest(top, asking, ways or (EVERYTHING,), matched)
    way = _way(asking, ways, chosen)
    told = _Teller(asking, way, events, parts).piece(top, chosen) if top else None
    return Explanation(
        rule,
        events.source,
        number=chosen + 1,
        count=events.frame.height,
        matching=matched.bit_count(),
        matches=bool(matched >> chosen & 1),
        obstacles=tuple(_obstacles(rule, asking, ways, chosen)),
        told=told,
    )


def _nearest(top: Piece | None, asking: Asking, ways: Sequence[Route], matched: Bits) -> int:
    """Return the row that matches, else the one of which most pieces are true."""
    if matched or top is None:
        return (matched & -matched).bit_length() - 1 if matched else 0
    scores = [0] * asking.events.height
    for way in ways:
        taken = asking.takes(way)
        for piece in pieces(top):
            bits = asking.piece(piece, way) & taken
            for row in range(len(scores)):
                scores[row] += 10 * (taken >> row & 1) + (bits >> row & 1)
    return max(range(len(scores)), key=lambda row: scores[row])


def _way(asking: Asking, ways: Sequence[Route], row: int) -> Route:
    taken = (way for way in ways if asking.takes(way) >> row & 1)
    return next(taken, ways[0] if ways else EVERYTHING)


def _obstacles(rule: Rule, asking: Asking, ways: Sequence[Route], row: int) -> Iterator[str]:
    """Yield why the rule is not asked of this event at all."""
    if rule.waits_for:
        yield f"the rule waits for the lists {', '.join(rule.waits_for)} (`lists:` of soc.yml)"
    if not ways:
        others = str(asking.dialect.logsource) or asking.dialect.name
        yield f"rules of {rule.logsource} have no business with {others} events"
    elif not any(asking.takes(way) >> row & 1 for way in ways):
        for way in ways:
            for name, values in way.where.items():
                seen = asking.seen(name, EVERYTHING)[row]
                if not seen or not {text.lower() for text in seen} & values:
                    legal, there = " or ".join(sorted(values)), f"`{seen[0]:.80}`" if seen else "nothing"
                    yield f"{rule.logsource} is told by {name} {legal}; the event has {there}"


class _Teller:
    def __init__(self, asking: Asking, way: Route, events: Events, parts: Parts) -> None:
        self._asking, self._way, self._events = asking, way, events
        definition = parts.definitions.get(events.source)
        self._columns = blindness.columns(definition, way) if definition else None

    def piece(self, piece: Piece, row: int) -> Told:
        true = bool(self._asking.piece(piece, self._way) >> row & 1)
        if piece.role == "item" and piece.kind != "not":
            return self._item(piece, row, true=true)
        parts = tuple(self.piece(part, row) for part in piece.parts)
        return Told(piece.label, str(piece.place), true, parts=parts)

    def _item(self, piece: Piece, row: int, *, true: bool) -> Told:
        """Tell of an item: what its field holds, and of its values those that decide."""
        asked = [predicate for value in piece.parts for predicate in predicates(_positive(value.asks))]
        field = asked[0].field if asked else None
        seen = self._asking.seen(field, self._way)[row] if asked else None
        told = [self._value(value, row) for value in piece.parts]
        alike = [one for one in told if one.true is true]  # those that make the item what it is
        shown = alike if piece.kind == "all" or true else _nearest_first(told, seen)
        reason = "" if true or field is None else self._reason(field, asked, seen, row)
        texts = tuple(_cut(text) for text in seen or ()) if field is not None else ()
        if len(told) == 1:
            return Told(f"{piece.label}: {told[0].label}", told[0].place, true, texts, reason)
        left_out = max(0, len(shown) - SHOWN)
        return Told(piece.label, str(piece.place), true, texts, reason, tuple(shown[:SHOWN]), left_out)

    def _value(self, value: Piece, row: int) -> Told:
        true = bool(self._asking.piece(value, self._way) >> row & 1)
        return Told(_cut(value.label), str(value.place), true)

    def _reason(self, field: str, asked: Sequence[Predicate], seen: list[str] | None, row: int) -> str:
        if seen is not None:
            return next((reason for predicate in asked if (reason := why.different(predicate, seen))), "")
        own = self._way.columns(field, self._asking.dialect)
        possible = self._columns is None or any(name in self._columns for name in own)
        there = [name for name in self._events.frame.columns if self._events.frame[name][row] is not None]
        return why.missing(field, there, possible=possible)


def _nearest_first(told: list[Told], seen: list[str] | None) -> list[Told]:
    """Return values, of many those first of which most stands in what was seen."""
    if seen is None or not SHOWN < len(told) <= COMPARED:
        return told
    return sorted(told, key=lambda one: -why.closeness(one.label, seen))


def _positive(node: Node | None) -> Node:
    if node is None:
        raise ValueError("a value asks something")
    return node.part if isinstance(node, Not) else node


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def lines(made: Explanation) -> Iterator[str]:
    """Yield an explanation for a terminal; what logs say in it is not yet made safe."""
    verdict = "matches" if made.matches else "does not match"
    yield f"`{made.rule.meta.title}` ({made.rule.place}) {verdict}"
    others = f"; {made.matching:,} of {made.count:,} match" if made.count > 1 else ""
    what = "as the rule sees it" if made.source == FIELDS else f"of {made.source}"
    yield f"event {made.number:,} {what}{others}"
    yield from (f"not its business: {obstacle}" for obstacle in made.obstacles)
    if made.told is not None:
        yield from _tree(made.told, "")


def _tree(told: Told, indent: str) -> Iterator[str]:
    mark = "✓" if told.true else "✗"
    seen = f"   ← {' | '.join(told.seen)}" if told.seen else ""
    yield f"{indent}{mark} {told.label}{seen}"
    if told.why:
        yield f"{indent}    {told.why}"
    for part in told.parts:
        yield from _tree(part, indent + "  ")
    if told.left_out:
        yield f"{indent}  … {told.left_out:,} more values, {'true' if told.true else 'none of them true'}"
