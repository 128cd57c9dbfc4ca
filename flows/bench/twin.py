"""An engine that remembers nothing yet, without compiling anything again.

An engine learns the values of each frame it sees, so that matching a frame twice says nothing about logs, which are
seen once. A twin shares what another engine has compiled, and begins with an empty memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from detectors.contracts import Dialect, Encoded, Hits
from detectors.sigma.columns import NONE, Memory
from detectors.sigma.engine import Engine
from detectors.sigma.routing import Routing


class Twin:
    """Detects what the other engine detects; the other must have seen a frame of that source before."""

    def __init__(self, other: Engine) -> None:
        self._other, self._own = other, Engine(other.rules)

    def detect(self, dialect: Dialect, events: pl.DataFrame, encoded: Mapping[str, Encoded] = NONE) -> Hits:
        """Return every (rule, row) that matches."""
        plans = self._own._plans  # noqa: SLF001 - the engine is measured from outside, and has no use for twins itself
        if dialect.name not in plans:
            known = self._other._plans[dialect.name]  # noqa: SLF001
            plans[dialect.name] = replace(known, memory=Memory(), routing=Routing(known.routes))
        return self._own.detect(dialect, events, encoded)
