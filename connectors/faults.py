"""What is wrong with a source definition, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields as options_of
from typing import Any

from pydantic import ValidationError

from connectors.formats import FORMATS
from connectors.mapping import Condition, Extraction, Lookup, Mapped, Reading, Strict
from connectors.nodes import Node
from connectors.refusals import refusals
from detectors.errors import DefinitionError
from detectors.nearest import meant
from detectors.schema import ECS, EVENT, RECORD

ROOTS = frozenset(name.partition(".")[0] for name in ECS if "." in name)
PARTS: dict[object, type[Strict]] = {
    "extract": Extraction,
    "fields": Mapped,
    "lookup": Lookup,
    "patterns": Reading,
    "when": Condition,
}


class DefinitionsError(DefinitionError):
    """Every fault of every definition, one per line."""

    def __init__(self, faults: Iterable[DefinitionError]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def lines(self) -> list[str]:
        """Return a line for each fault."""
        return [str(fault) for fault in self.faults]


def unknown_columns(node: Node) -> Iterator[DefinitionError]:
    """Refuse ECS names that no event has."""
    named: list[tuple[tuple[str | int, ...], str]] = [(("fields", key), key) for key in node.keys("fields")]
    entity = node.value.get("entity") if isinstance(node.value, Mapping) else None
    named += [(("entity", place), str(name)) for place, name in enumerate(entity if isinstance(entity, list) else [])]
    for path, name in named:
        if name not in ECS or name in RECORD:
            yield _unknown_column(name, node, path)


def unknown_made(steps: Mapping[str, tuple[Extraction | Lookup, ...]], node: Node) -> Iterator[DefinitionError]:
    """Refuse columns that patterns and tables fill under names that begin like ECS ones and are none."""
    for key, several in steps.items():
        for place, step in enumerate(several):
            for name in sorted(step.columns - ECS.keys()):
                if "." in name and name.partition(".")[0] in ROOTS:
                    yield _unknown_column(name, node, (key, place))


def never_filled(
    entity: Collection[str], filled: Collection[str], *, open_: bool, node: Node
) -> Iterator[DefinitionError]:
    """Refuse entity columns that nothing fills; `open_` says that own columns may be any, ECS names among them."""
    for place, name in enumerate(entity):
        if name in ECS and name not in filled and not open_:
            others = ", ".join(sorted(set(filled) - EVENT.keys()))
            fix = f"fill it under `fields`{f', or name one of {others}' if others else ''}"
            message = f"no event of this source has the entity column {name!r}"
            yield DefinitionError(message, place=node.place(("entity", place)), fix=fix)


def unknown_personal(
    personal: Collection[str], own: Collection[str] | None, filled: Collection[str], node: Node
) -> Iterator[DefinitionError]:
    """Refuse personal columns that the source doesn't have; it can't be told where own columns may be any.

    A personal column is one of the source's own: the token takes its value's place in the line itself.
    """
    for place, name in enumerate(personal):
        where = node.place(("personal", place))
        if name in RECORD or name == "@timestamp":
            yield DefinitionError(f"{name!r} can't be a personal column", place=where, fix="name the parts that are")
        elif own is not None and name not in own:
            fix = meant(name, sorted(own)) or f"its own columns: {', '.join(sorted(own))}"
            kind = "is filled from others; name the own column" if name in filled else "is no own column of this source"
            yield DefinitionError(f"{name!r} {kind}", place=where, fix=fix)


def _unknown_column(name: str, node: Node, path: tuple[str | int, ...]) -> DefinitionError:
    fix = meant(name, ECS) or "see detectors/ecs.py for the columns an event has"
    return DefinitionError(f"{name!r} is no ECS column of an event", place=node.place(path), fix=fix)


def unknown_options(format_name: str, options: Mapping[str, Any], node: Node) -> Iterator[DefinitionError]:
    """Refuse options that the format doesn't have."""
    names = [option.name for option in options_of(FORMATS[format_name])]  # type: ignore[arg-type] # all are dataclasses
    for name in options:
        if name not in names:
            message = f"format {format_name!r} has no option {name!r}"
            yield DefinitionError(message, place=node.place(("options", name)), fix=f"its options are {names}")


def refused(error: ValidationError, node: Node, model: type[Strict]) -> Iterator[DefinitionError]:
    """Return what pydantic refused, with places."""
    for fault in refusals(error, node.value, lambda path: _keys((*path, ""), model)):
        yield DefinitionError(fault.named, place=node.place(fault.path), fix=fault.fix)


def _keys(path: tuple[int | str, ...], model: type[Strict]) -> list[str]:
    """Return the keys that the innermost part around a fault knows."""
    for step in reversed(path[:-1]):
        if step in PARTS:
            return _names(PARTS[step])
    if len(path) > 1 and path[0] in model.model_fields:
        inner = model.model_fields[str(path[0])].annotation
        if isinstance(inner, type) and issubclass(inner, Strict):
            return _names(inner)
    return _names(model)


def _names(model: type[Strict]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
