"""The legal word that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, legal: Iterable[str]) -> str:
    """Return a fix for a message: the nearest legal word, or the first few of them.

    >>> nearest("contans", ["contains", "endswith"])
    'did you mean `contains`?'
    """
    known = sorted(legal)
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    shown = ", ".join(f"`{each}`" for each in known[:8])
    return f"known: {shown}{' …' if len(known) > 8 else ''}"
