"""Figures in columns, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from flows.terminal import plain

Cell = str | int | float
WIDEST = 60  # characters of a text: a rule's title


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return lines whose first column stands left, and whose others are figures and stand right."""
    texts = [list(head), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in texts
    )


def _text(cell: Cell) -> str:
    match cell:
        case str():
            return plain(cell, WIDEST)
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.3f}" if abs(cell) < 100 else f"{cell:,.0f}"
