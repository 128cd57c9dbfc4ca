"""A detection as its author wrote it: conditions, parts, items and values, each with its words and its place.

The engine's tree forgets names and merges values. Whoever explains a rule, or asks what each piece of it is good for,
needs them. An outline means what the tree means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from detectors.errors import Place
from detectors.sigma import chain, condition
from detectors.sigma.detection import Detection
from detectors.sigma.document import Document
from detectors.sigma.predicates import And, Node, Not, Or, Predicate
from detectors.sigma.valuelist import Lists

Path = tuple[object, ...]
_OF_LISTS = frozenset({"all", "neq"})  # modifiers that concern an item as a whole, not each of its values


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A piece of a detection; `all` and `any` of its parts, `not` of its only one, or a value that asks something.

    A part that a condition names twice is the same piece in both places.
    """

    kind: Literal["all", "any", "not", "value"]
    label: str
    place: Place
    parts: tuple[Piece, ...] = ()
    asks: Node | None = None  # of a value
    role: Literal["condition", "part", "item", "value"] = "condition"


@dataclass(frozen=True, slots=True)
class Change:
    """A piece with one of its parts left out, or (None) a `not` left out before its part."""

    piece: Piece
    at: int | None
    above: frozenset[Piece] = frozenset()  # the pieces that it is a piece of; all others stay what they are


def changes(top: Piece) -> Iterator[Change]:
    """Yield every way to leave one thing out of a detection so that something is left."""
    for piece, above in _above(top).items():
        if piece.kind == "not":
            yield Change(piece, None, above)
        elif len(piece.parts) > 1:
            yield from (Change(piece, at, above) for at in range(len(piece.parts)))


def _above(top: Piece) -> dict[Piece, frozenset[Piece]]:
    """Return, for every piece from the top down, all pieces that it is in."""
    inside: dict[Piece, set[Piece]] = {piece: set() for piece in pieces(top)}
    for piece in inside:
        for part in piece.parts:
            inside[part].add(piece)
    found: dict[Piece, frozenset[Piece]] = {}

    def above(piece: Piece) -> frozenset[Piece]:
        if piece not in found:
            found[piece] = frozenset(inside[piece]).union(*map(above, inside[piece]))
        return found[piece]

    return {piece: above(piece) for piece in inside}


def outline(document: Document, lists: Lists) -> Piece:
    """Return the outline of a detection that can be read without a fault."""
    return _Reader(document, lists).whole()


def pieces(top: Piece) -> Iterator[Piece]:
    """Yield every piece from the top down, each once."""
    seen: set[int] = set()
    pending = [top]
    while pending:
        piece = pending.pop()
        if id(piece) not in seen:
            seen.add(id(piece))
            yield piece
            pending.extend(reversed(piece.parts))


class _Reader:
    def __init__(self, document: Document, lists: Lists) -> None:
        self._document, self._lists = document, lists
        self._parts: dict[str, Piece] = {}

    def whole(self) -> Piece:
        given = self._document.data["detection"]
        for key, body in given.items():
            if key not in ("condition", "timeframe"):
                name = self._word("detection", key)
                self._parts[name] = self._part(("detection", key), name, body)
        written = given["condition"]
        conditions = written if isinstance(written, list) else [written]
        read = [self._condition(("detection", "condition", number), text) for number, text in enumerate(conditions)]
        return read[0] if len(read) == 1 else Piece("any", "conditions", read[0].place, tuple(read))

    def _condition(self, path: Path, text: str) -> Piece:
        names = {name: Predicate(name, "present") for name in self._parts}  # stand for the parts
        place = self._document.place(*path)
        asked = text.partition("|")[0].rstrip()  # behind it Sigma 1 says how matches are counted
        tree = self._shaped(condition.read(asked, names), place)
        return tree if tree.role == "part" else Piece(tree.kind, text, place, tree.parts)

    def _shaped(self, tree: Node, place: Place) -> Piece:
        match tree:
            case Predicate(name):
                return self._parts[str(name)]
            case Not(part):
                inner = self._shaped(part, place)
                return Piece("not", f"not {inner.label}", place, (inner,))
            case And(parts):
                return self._joined("all", " and ", [self._shaped(part, place) for part in parts], place)
            case Or(parts):
                return self._joined("any", " or ", [self._shaped(part, place) for part in parts], place)

    def _joined(self, kind: Literal["all", "any"], word: str, parts: list[Piece], place: Place) -> Piece:
        label = word.join(part.label for part in parts)
        return Piece(kind, f"({label})", place, tuple(parts))

    def _part(self, path: Path, label: str, body: object) -> Piece:
        place = self._document.key(*path)
        if isinstance(body, dict):
            items = [self._item((*path, key), self._word(*path, key), inner) for key, inner in body.items()]
            return Piece("all", label, place, tuple(items), role="part")
        if isinstance(body, list) and any(isinstance(each, dict | list) for each in body):
            parts = [self._part((*path, at), f"{label}, number {at + 1}", each) for at, each in enumerate(body)]
            return Piece("any", label, place, tuple(parts), role="part")
        return Piece("all", label, place, (self._item(path, "", body),), role="part")

    def _item(self, path: Path, key: str, body: object) -> Piece:
        name, _, modifiers = key.partition("|")
        read = chain.read(modifiers) if modifiers else None
        plain = "|".join([name, *(each for each in modifiers.split("|") if each and each not in _OF_LISTS)])
        listed = isinstance(body, list)
        values = [
            self._value((*path, at) if listed else path, plain, each)
            for at, each in enumerate(body if isinstance(body, list) else [body])
        ]
        every, place, label = read is not None and read.every, self._document.key(*path), key or "keywords"
        item = Piece("all" if every else "any", label, place, tuple(values), role="item")
        return Piece("not", label, place, (item,), role="item") if read is not None and read.negated else item

    def _value(self, path: Path, key: str, given: object) -> Piece:
        alone = Document({"detection": {"x": {key: given}, "condition": "x"}}, self._document.node, self._document.file)
        asks = Detection(alone, self._lists).tree()
        return Piece("value", self._document.text(*path), self._document.place(*path), asks=asks, role="value")

    def _word(self, *path: object) -> str:
        key = path[-1]
        return key if isinstance(key, str) else self._document.word(*path)
