"""Whether work is worth loading machine code for, which takes a tenth of a second: short work is done without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors import objects

FEW: Final = 64  # texts of one call that are read sooner without it
COLD: Final = 10_000  # texts read without it in the time that it takes to load


@dataclass(slots=True)
class Warmth:
    """How many texts were read before any was loaded."""

    few: int = FEW
    cold: int = COLD
    texts: int = 0

    def worth(self, texts: int) -> bool:
        """Say whether so many texts are read as machine code."""
        if texts < self.few:
            return False
        if not objects.loaded():
            self.texts += texts
        return objects.loaded() or self.texts > self.cold


WARMTH: Final = Warmth()  # of this process
