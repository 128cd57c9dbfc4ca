"""How large the next batch shall be: the first ones are small, so that the first finding comes soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST: Final = 1 << 20  # bytes
STEP: Final = 8  # each batch has its own price, so there are few small ones
NEARLY: Final = 0.75  # so full that what comes next would hardly fit


@dataclass(slots=True)
class Growing:
    """The size of batches in bytes, larger after each until it is `most`."""

    most: int
    size: int = 0

    def __post_init__(self) -> None:
        self.size = min(FIRST, self.most)

    def full(self, size: int) -> bool:
        """Say whether a batch of so many bytes shall wait for no more."""
        return size >= self.size * NEARLY

    def grow(self) -> None:
        """Let the next one be larger."""
        self.size = min(STEP * self.size, self.most)
