"""Source definitions as files (`sources/*.yml`), read whole, kept, and made when they are asked for.

Adding an application log is one such file and no Python. A wrong file is refused; the message names line and fix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import ValidationError

from connectors.definition import Definition
from connectors.faults import (
    DefinitionsError,
    never_filled,
    refused,
    unknown_columns,
    unknown_made,
    unknown_options,
    unknown_personal,
)
from connectors.kept import Kept, contents, program
from connectors.mapping import PROVED
from connectors.marks import Marks, marks
from connectors.nodes import read_yaml, with_base, with_catalogues
from detectors.errors import DefinitionError

BUILT_IN: Final = Path(__file__).parent / "sources"
CATALOGUES: Final = Path(__file__).parent / "catalogues"


class Definitions(Mapping[str, Definition]):
    """Definitions by their names; those that were kept are made when they are first asked for: most never are."""

    def __init__(
        self, stored: Mapping[str, Definition | dict[str, Any]], marks: Mapping[str, Marks] | None = None
    ) -> None:
        self._stored, self._marks = dict(stored), dict(marks or {})

    def __getitem__(self, name: str) -> Definition:
        one = self._stored[name]
        if isinstance(one, dict):
            one = self._stored[name] = Definition.model_validate(one, context=PROVED)
        return one

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def marks(self, name: str) -> Marks:
        """Return what tells quickly whether lines can be of a source."""
        if name not in self._marks:
            self._marks[name] = marks(self[name])
        return self._marks[name]

    def only(self, names: Iterable[str]) -> Definitions:
        """Return those of these names."""
        chosen = list(names)
        return Definitions({name: self._stored[name] for name in chosen}, {name: self.marks(name) for name in chosen})

    def over(self, others: Definitions) -> Definitions:
        """Return these, and of the others what has no namesake here."""
        known = {name: each for name, each in others._marks.items() if name not in self}
        return Definitions({**others._stored, **self._stored}, {**known, **self._marks})


def means(definitions: Mapping[str, Definition]) -> Callable[[str], tuple[str | None, object]]:
    """Return what tells a source's beginning of a record and its format, as `connectors.multiline` asks for them."""

    @cache
    def meaning(source: str) -> tuple[str | None, object]:
        one = definitions.get(source)
        return (None, None) if one is None else (one.multiline, one.reader)

    return meaning


def load_definitions(folders: Iterable[Path] = (BUILT_IN,), cache: Path | None = None) -> Definitions:
    """Read all `*.yml` of the folders; a later folder's definition replaces an earlier one of that name.

    Folders of which no file has changed are taken from the folder `cache`.

    Raises:
        DefinitionsError: when any is wrong, after all were read.
    """
    found = Definitions({})
    faults: list[DefinitionError] = []
    for folder in map(Path, folders):
        try:
            found = _known(folder, cache).over(found)
        except DefinitionsError as wrong:
            faults.extend(wrong.faults)
    if faults:
        raise DefinitionsError(faults)
    return found


def _known(folder: Path, cache: Path | None) -> Definitions:
    """Return the definitions of a folder, as they were found right before or are found right now."""
    if cache is None:
        return Definitions(_checked(folder))
    read = (folder, folder / "catalogues", BUILT_IN, CATALOGUES)  # a definition is like another, and names catalogues
    kept = Kept(cache, "sources", program(), os.fsencode(folder), contents(dict.fromkeys(read)))
    try:
        return _decoded(kept.read() or b"")
    except (ValueError, TypeError, KeyError):  # nothing is kept, or it is damaged
        found = Definitions(_checked(folder))
    body = orjson.dumps([[_encoded(one), found.marks(name).encode()] for name, one in found.items()])
    if _decoded(body) == found:
        kept.write(body)
    return found


def _encoded(one: Definition) -> dict[str, Any]:
    return one.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _decoded(body: bytes) -> Definitions:
    every = orjson.loads(body)
    stored = {one["name"]: one for one, _ in every}
    return Definitions(stored, {one["name"]: Marks.decode(told) for one, told in every})


def _checked(folder: Path) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    faults: list[DefinitionError] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            definition = load_definition(path, proved=path.parent == BUILT_IN)
            found[definition.name] = definition
        except DefinitionsError as wrong:
            faults.extend(wrong.faults)
    if faults:
        raise DefinitionsError(faults)
    return found


def load_definition(path: Path, *, proved: bool = False) -> Definition:
    """Read one definition; of one that is `proved` patterns are not tried, which takes longer than all else.

    Raises:
        DefinitionsError: with all its faults.
    """
    try:
        node = with_base(read_yaml(path), (path.parent, BUILT_IN))
        node = with_catalogues(node, (path.parent / "catalogues", CATALOGUES))
    except DefinitionError as error:
        raise DefinitionsError([error]) from None
    faults = list(unknown_columns(node))
    try:
        definition = Definition.model_validate(node.value, context=PROVED if proved else None)
    except ValidationError as error:
        raise DefinitionsError([*faults, *refused(error, node, Definition)]) from None
    faults += unknown_options(definition.format, definition.options, node)
    faults += unknown_made({"extract": definition.extract, "lookup": definition.lookup}, node)
    faults += never_filled(definition.entity, definition.filled, open_=definition.own_columns is None, node=node)
    faults += unknown_personal(definition.personal, definition.own_columns, definition.filled, node)
    if faults:
        raise DefinitionsError(faults)
    return definition
