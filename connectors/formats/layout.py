"""Where the records of a format have their columns: paths of keys.

A record has one of several shapes, and in each a column stands in one of several places, the best first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str, ...]

# Traits of a place. CONTENT: an object there stands for its `#text`, its other keys being attributes. BLANK: null
# counts as "". FLAT: arrays hold no objects. ODD_OBJECT, ODD_VALUE: where there is an object, or any value, only the
# exact reader can tell; as where a trait says otherwise than the record.
CONTENT, BLANK, FLAT, ODD_OBJECT, ODD_VALUE = 2, 4, 8, 16, 32
ANY: Final = ""  # in a path: every key there that has no place of its own


@dataclass(frozen=True, slots=True)
class Place:
    """A path, and the traits of what stands there."""

    path: Path
    traits: int = 0


Shape: TypeAlias = Mapping[str, Sequence[Place]]  # per column its places, the best first


@dataclass(frozen=True, slots=True)
class Layout:
    """The shapes of a format's records.

    A record has the first shape that one of its signs shows, a value (`signs`) or an object (`object_signs`) at a path;
    else it has the last one. `others` are traits of places that no column has. `through` says that paths reach through
    arrays.
    """

    shapes: Sequence[Shape]
    signs: Mapping[Path, int] = field(default_factory=dict)
    object_signs: Mapping[Path, int] = field(default_factory=dict)
    others: Mapping[Path, int] = field(default_factory=dict)
    through: bool = False
