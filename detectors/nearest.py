"""The legal word that somebody probably meant, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

NEAR: Final = 0.6  # share of letters, of a word that is offered
_MANY, _LONG = 1_000, 80  # words, characters: beyond these a search takes long and helps nobody


def nearest(word: str, legal: Iterable[str]) -> str:
    """Return a fix for a message: the nearest legal word, or the first few of them.

    >>> nearest("contans", ["contains", "endswith"])
    'did you mean `contains`?'
    """
    known = sorted(islice(legal, _MANY))
    if not known:
        return "there is none"
    shown = ", ".join(f"`{each}`" for each in known[:8])
    return meant(word, known) or f"known: {shown}{' …' if len(known) > 8 else ''}"


def meant(word: str, legal: Iterable[str], near: float = NEAR) -> str:
    """Return a fix that names the legal word that is nearly the same, or "".

    >>> meant("Contans", ["contains", "endswith"])
    'did you mean `contains`?'
    """
    found = closest(word, legal, near)
    return f"did you mean `{found}`?" if found else ""


def closest(word: str, legal: Iterable[str], near: float = NEAR) -> str | None:
    """Return the legal word that is nearly the same, in any case of letters; of words alike the first."""
    lower = {each.lower(): each for each in reversed([*legal])}
    close = get_close_matches(word[:_LONG].lower(), lower, 1, near)
    return lower[close[0]] if close else None
