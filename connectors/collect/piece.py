"""What an input read: lines of one place, and how far it was read with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.collect.block import Mark
from connectors.envelope import Origin


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines in order; `marks` belong on disk in the same write as the lines."""

    source: str
    origin: Origin
    lines: Sequence[bytes]
    marks: Mapping[str, Mark] = field(default_factory=dict)
