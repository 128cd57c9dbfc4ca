"""Numbers as a language writes them, wherever people read them."""

from __future__ import annotations


def number(value: float, lang: str) -> str:
    """Return a number as that language writes it, with one decimal where it has any: 1,234.5 or 1.234,5."""
    text = f"{value:,.0f}" if abs(value) >= 100 or abs(value - round(value)) < 0.05 else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text
