"""YAML text to documents whose every part knows its line and column.

Only plain data is built, and untrusted text stays bounded: duplicate keys and alias bombs are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from detectors.errors import Place, RuleError

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_NODES = 200_000  # the largest SigmaHQ rule has 4,500; an alias bomb of nine levels has a thousand million
MAX_DEPTH = 200
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_TOO_MANY = f"more than {MAX_NODES} parts, an alias counted each time"
MAX_DIGITS = 1_000  # Python writes no number of more than 4,300 decimal ones
_INTEGER = "tag:yaml.org,2002:int"
UNSCANNED = 8_000  # characters that can't be nested deep enough to do harm


class TextError(RuleError):
    """A fault within a text of the document, `offset` characters after its beginning."""

    def __init__(self, message: str, offset: int, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data, and where each part of it stands."""

    data: dict[str, Any]
    node: yaml.Node
    file: str

    def place(self, *path: object) -> Place:
        """Return where the part at `path` stands, or the nearest part around it."""
        return _at(self._reach(path)[1], self.file)

    def key(self, *path: object) -> Place:
        """Return where the key of the part at `path` stands; an element of a list is its own key."""
        return _at(self._reach(path)[0], self.file)

    def word(self, *path: object) -> str:
        """Return the key of the part at `path` as it is written."""
        return str(self._reach(path)[0].value)

    def text(self, *path: object) -> str:
        """Return the scalar at `path` as it is written."""
        return str(self._reach(path)[1].value)

    def inside(self, offset: int, *path: object) -> Place:
        """Return the place `offset` characters into the text at `path` (its beginning, if it has several lines)."""
        return _inside(self._reach(path)[1], offset, self.file)

    def inside_key(self, offset: int, *path: object) -> Place:
        """Return the place `offset` characters into the key of the part at `path`."""
        return _inside(self._reach(path)[0], offset, self.file)

    def _reach(self, path: tuple[object, ...]) -> tuple[yaml.Node, yaml.Node]:
        """Return the key and the value that stand at `path`, or the nearest ones around it."""
        found = (self.node, self.node)
        for step in path:
            inner = _step(found[1], step)
            if inner is None:
                break
            found = inner
        return found


def documents(text: str, file: str) -> Iterator[Document | RuleError]:
    """Yield each document of a YAML text; a fault costs its document, or the rest where YAML itself breaks off."""
    try:
        if len(text) > UNSCANNED and (excess := _excess(text, file)) is not None:
            yield excess
            return
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            yield _fault(node, file) or _document(loader, node, file)
    except yaml.MarkedYAMLError as error:
        yield _broken(error, file)
    except yaml.YAMLError as error:
        yield RuleError(
            f"not valid YAML: {' '.join(str(error).split())}", place=_unreadable(error, text, file), fix="take it out"
        )


def _document(loader: Any, node: yaml.Node, file: str) -> Document | RuleError:  # noqa: ANN401  # either of two loaders
    try:
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        return _broken(error, file)
    except ValueError as error:  # a date such as 2020-13-45, a number of 10,000 digits
        return RuleError(f"not valid YAML: {error}", place=_at(_culprit(node), file), fix="put such values in quotes")
    if not isinstance(data, dict):
        return RuleError("not a mapping of keys to values", place=_at(node, file), fix="start with `title:`")
    return Document(data, node, file)


def _culprit(root: yaml.Node) -> yaml.Node:
    """Return the first value that YAML can't make anything of."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            pending.extend(part for pair in reversed(node.value) for part in reversed(pair))
        elif isinstance(node, yaml.SequenceNode):
            pending.extend(reversed(node.value))
        else:
            try:
                yaml.constructor.SafeConstructor().construct_object(node)
            except ValueError:
                return node
    return root


def _broken(error: yaml.MarkedYAMLError, file: str) -> RuleError:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    fix = "look here and above: indentation, brackets, quotes around values that hold `: ` or begin with a sign"
    return RuleError(f"not valid YAML: {error.problem or error.context}", place=place, fix=fix)


def _unreadable(error: yaml.YAMLError, text: str, file: str) -> Place:
    """Return where a character stands that YAML does not allow."""
    before = text[: getattr(error, "position", 0) or 0]
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _excess(text: str, file: str) -> RuleError | None:
    """Refuse before it is built what is too much, or so deep that libyaml, which recurses in C, would break down."""
    depth = parts = 0
    for event in yaml.parse(text, Loader=_Loader):
        parts = 0 if isinstance(event, yaml.DocumentStartEvent) else parts + isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if parts > MAX_NODES or depth > MAX_DEPTH:
            mark = event.start_mark
            place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
            return RuleError(_TOO_MANY if parts > MAX_NODES else _TOO_DEEP, place=place)
    return None


def _fault(root: yaml.Node, file: str) -> RuleError | None:
    """Walk the tree as an expanding reader would, and stop at the first thing no rule should have."""
    seen = 0
    pending: list[tuple[yaml.Node, int]] = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        seen += 1
        if seen > MAX_NODES:
            return RuleError(_TOO_MANY, place=_at(root, file))
        if depth > MAX_DEPTH:
            return RuleError(_TOO_DEEP, place=_at(node, file))
        if isinstance(node, yaml.MappingNode):
            double = _duplicate(node)
            if double is not None:
                return RuleError(
                    f"the key `{double.value}` stands twice", place=_at(double, file), fix="keep one of them"
                )
            pending.extend((part, depth + 1) for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            pending.extend((part, depth + 1) for part in node.value)
        elif len(node.value) > MAX_DIGITS and node.tag == _INTEGER:
            return RuleError(f"a number of {len(node.value)} digits", place=_at(node, file), fix="put it in quotes")
    return None


def _duplicate(node: yaml.MappingNode) -> yaml.Node | None:
    """Return a key that stands there before; `1` and `'1'` are one name to a rule."""
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            return key  # type: ignore[no-any-return]  # PyYAML's stubs leave the pairs untyped
        seen.add(str(key.value))
    return None


def _step(node: yaml.Node, step: object) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        pairs: Sequence[tuple[yaml.Node, yaml.Node]] = node.value
        return next((pair for pair in pairs if _means(pair[0], step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _means(key: yaml.Node, step: object) -> bool:
    """Say whether a key is `step` to YAML, which reads `no` as False and `010` as 8."""
    if key.value == step:
        return True
    read = yaml.constructor.SafeConstructor().construct_object(key) if isinstance(key, yaml.ScalarNode) else None
    return type(read) is type(step) and read == step


def _inside(node: yaml.Node, offset: int, file: str) -> Place:
    place = _at(node, file)
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.line != node.end_mark.line:
        return place
    return Place(place.file, place.line, place.column + offset + (node.style in ("'", '"')))


def _at(node: yaml.Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
