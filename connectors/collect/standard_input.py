"""Lines of the standard input, until it ends. Nobody can go back in it: what was read is on disk at the next write."""

from __future__ import annotations

import os
import select
import sys
from typing import Final

from connectors.collect.framing import Framer
from connectors.collect.intake import LONGEST
from connectors.collect.piece import Piece
from connectors.envelope import Origin

WAIT: Final = 0.2  # seconds for lines to come before the caller has a turn


class StandardInput:
    """Reads; `ended` says that there is no more."""

    def __init__(self, source: str) -> None:
        self.ended = False
        self._source = source
        self._framer = Framer(LONGEST, counting=False)

    def poll(self, budget: int) -> list[Piece]:
        """Wait a moment for lines and return them."""
        if not select.select([sys.stdin.fileno()], [], [], WAIT)[0]:
            return []
        data = os.read(sys.stdin.fileno(), budget)
        self.ended = not data
        lines = self._framer.feed(data) if data else self._framer.end()
        return [Piece(self._source, Origin("stdin"), lines)] if lines else []

    def close(self) -> None:
        """Do nothing: whoever started us closes it."""
