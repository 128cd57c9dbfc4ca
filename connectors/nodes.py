"""YAML with places: what stands where, so that a fault can be shown to the person who wrote it.

Refused: two equal keys, aliases (a small file of them can expand to gigabytes), anything but plain values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from detectors.errors import DefinitionError, Place
from detectors.nearest import nearest

LARGEST: Final = 1_000_000  # bytes; no definition people write is near it
LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # that of libyaml reads ten times as fast
TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Node:
    """A document: its value, and the places of its parts."""

    file: str
    value: Any
    root: yaml.Node
    inner: Mapping[tuple[str | int, ...], Node] = field(default_factory=dict)  # what stands in files of its own

    def place(self, path: Sequence[int | str]) -> Place:
        """Return where a part stands, or the nearest thing around it that exists."""
        if (catalogue := self.inner.get(tuple(path[:2]))) is not None:
            return catalogue.place(path[2:])
        node, mark = self.root, self.root.start_mark
        for step in path:
            below = _child(node, step)
            if below is None and isinstance(step, int):
                continue  # a short form, which stands for a list of one
            if below is None:
                break
            key, node = below
            mark = key.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def keys(self, name: str) -> list[str]:
        """Return the keys of a mapping at the top."""
        inner = self.value.get(name) if isinstance(self.value, dict) else None
        return [str(key) for key in inner] if isinstance(inner, dict) else []


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def read_yaml(path: Path) -> Node:
    """Read a YAML file whose top is a mapping.

    Raises:
        DefinitionError: when it can't be read, with the place.
    """
    try:
        found = path.stat()
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        raise DefinitionError(message, place=Place(str(path)), fix="correct the path, or who may read it") from None
    if found.st_size > LARGEST:
        raise DefinitionError(f"larger than {LARGEST} bytes", place=Place(str(path)), fix="split it")
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1_000)  # many definitions are like one, or name the same catalogue
def _read(path: Path, _changed: int, _size: int) -> Node:
    try:
        loader = LOADER(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if root is not None:
            _check(root, set())
        value = loader.construct_document(root) if root is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"can't be read: {error}", place=Place(str(path))) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(_problem(error), place=_place(path, error), fix="correct the YAML there") from None
    if root is None or not isinstance(value, dict):
        raise DefinitionError("not a mapping", place=Place(str(path), 1), fix="write keys and values: `name: portal`")
    return Node(str(path), value, root)


def with_base(node: Node, folders: Sequence[Path]) -> Node:
    """Take over from the definition that a definition is `like` what it doesn't say itself; fields one by one.

    Raises:
        DefinitionError: when there is none of that name, it can't be read, or it is like another one.
    """
    value = dict(node.value)
    name = value.pop("like", None)
    if name is None:
        return node
    place = node.place(["like"])
    base = _named(str(name), "definition", place, folders).value
    if "like" in base:
        raise DefinitionError(f"{name!r} is like another definition", place=place, fix=f"name {base['like']!r}")
    for key, below in base.items():
        own = value.get(key, below)
        value[key] = {**below, **own} if isinstance(below, dict) and isinstance(own, dict) else own
    return Node(node.file, value, node.root)


def with_catalogues(node: Node, folders: Sequence[Path]) -> Node:
    """Put catalogues of patterns and tables where a definition names them.

    Raises:
        DefinitionError: when there is none of that name, or it can't be read.
    """
    value = dict(node.value)
    inner: dict[tuple[str | int, ...], Node] = {}
    for key in ("extract", "lookup"):
        items = value.get(key)
        if not isinstance(items, list):
            continue
        value[key] = list(items)
        for place, item in enumerate(items):
            if isinstance(item, str):
                catalogue = _named(item, "catalogue", node.place((key, place)), folders)
                inner[key, place] = catalogue
                value[key][place] = catalogue.value
    return Node(node.file, value, node.root, inner)


def _named(name: str, kind: str, place: Place, folders: Sequence[Path]) -> Node:
    paths = [path for folder in folders for path in [folder / f"{name}.yml"] if NAME.fullmatch(name) and path.is_file()]
    if not paths:
        names = sorted({path.stem for folder in folders for path in folder.glob("*.yml")})
        raise DefinitionError(f"{name!r} is no {kind}", place=place, fix=nearest(name, names))
    return read_yaml(paths[0])


def _check(node: yaml.Node, seen: set[int]) -> None:
    """Refuse equal keys, aliases (the same node in two places), and days that no calendar has."""
    if id(node) in seen:
        raise yaml.MarkedYAMLError(None, None, "aliases are not allowed", node.start_mark)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, below in node.value:
            if key.value in keys:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
            keys.add(str(key.value))
            _check(key, seen)
            _check(below, seen)
    elif isinstance(node, yaml.SequenceNode):
        for below in node.value:
            _check(below, seen)
    elif node.tag == TIMESTAMP:
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError:
            message = f"{node.value} is no day or time of the calendar"
            raise yaml.MarkedYAMLError(None, None, message, node.start_mark) from None


def _problem(error: Exception) -> str:
    return (isinstance(error, yaml.MarkedYAMLError) and error.problem) or str(error) or type(error).__name__


def _place(path: Path, error: Exception) -> Place:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
