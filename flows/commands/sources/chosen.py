"""Definitions that the command line names, by name or by file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.definition import Definition
from connectors.definitions import load_definition
from detectors.errors import UsageError
from flows.naming import no_source


def chosen(name: str, definitions: Mapping[str, Definition]) -> Definition:
    """Return the definition of that name, or of that file.

    Raises:
        UsageError: there is neither.
        DefinitionsError: the file is wrong.
    """
    path = Path(name)
    if path.suffix in {".yml", ".yaml"} or path.is_file():
        if not path.is_file():
            raise UsageError(f"there is no file {name}", fix="give the name of a source, or a YAML file")
        return load_definition(path)
    if name not in definitions:
        raise no_source(name, definitions)
    return definitions[name]
