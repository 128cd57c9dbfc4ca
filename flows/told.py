"""Findings that a sink is known to have: what later batches add to them are matches, and no document is made again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

KEPT: Final = 50_000  # ids that are remembered; one that is forgotten is told again, and the sink knows it


class Told(Collection[str]):
    """The ids of the findings that were stored last."""

    def __init__(self, kept: int = KEPT) -> None:
        self._ids: dict[str, None] = {}
        self._kept = kept

    def __contains__(self, finding: object) -> bool:
        return finding in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, findings: Iterable[str]) -> None:
        """Remember findings that were stored."""
        self._ids |= dict.fromkeys(findings)
        while len(self._ids) > self._kept:
            del self._ids[next(iter(self._ids))]
