"""YAML with places: what stands where, so that a fault can be shown to the person who wrote it.

Refused: two equal keys, aliases (a small file of them can expand to gigabytes), anything but plain values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from detectors.errors import DefinitionError, Place

LARGEST: Final = 1_000_000  # bytes; no definition people write is near it


@dataclass(frozen=True, slots=True)
class Node:
    """A document: its value, and the places of its parts."""

    file: str
    value: Any
    root: yaml.Node

    def place(self, path: Sequence[int | str]) -> Place:
        """Return where a part stands, or the nearest thing around it that exists."""
        node, mark = self.root, self.root.start_mark
        for step in path:
            below = _child(node, step)
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


class _Loader(yaml.SafeLoader):
    """Refuses aliases and equal keys."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's signature
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs leave it untyped
            raise yaml.MarkedYAMLError(None, None, "aliases are not allowed", mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
                seen.add(str(key.value))
        return node


def read_yaml(path: Path) -> Node:
    """Read a YAML file whose top is a mapping.

    Raises:
        DefinitionError: when it can't be read, with the place.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise DefinitionError(f"larger than {LARGEST} bytes", place=Place(str(path)), fix="split it")
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        value = loader.construct_document(root) if root is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"can't be read: {error}", place=Place(str(path))) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(_problem(error), place=_place(path, error), fix="correct the YAML there") from None
    if root is None or not isinstance(value, dict):
        raise DefinitionError("not a mapping", place=Place(str(path), 1), fix="write keys and values: `name: portal`")
    return Node(str(path), value, root)


def _problem(error: Exception) -> str:
    return (isinstance(error, yaml.MarkedYAMLError) and error.problem) or str(error) or type(error).__name__


def _place(path: Path, error: Exception) -> Place:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
