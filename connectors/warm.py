"""Whether work is worth loading Numba for, which takes some tenths of a second: short work is done without it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

FEW: Final = 64  # texts of one call that are read sooner without it
COLD: Final = 60_000  # texts read without it in the time that it takes to load


@dataclass(slots=True)
class Warmth:
    """How many texts were read before Numba was loaded."""

    few: int = FEW
    cold: int = COLD
    texts: int = 0

    def worth(self, texts: int) -> bool:
        """Say whether so many texts are read as machine code."""
        if texts < self.few:
            return False
        if "numba" not in sys.modules:
            self.texts += texts
        return "numba" in sys.modules or self.texts > self.cold


WARMTH: Final = Warmth()  # of this process
