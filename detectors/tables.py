"""The tables beside these modules, which are data."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # six times as fast, where PyYAML has it


def read_table(name: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what the YAML file of this name holds, "sigma/logsources.yml"."""
    return yaml.load(files("detectors").joinpath(name).read_text("utf-8"), _Loader)  # noqa: S506 - a safe one
