"""The legal word that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

_MANY, _LONG = 1_000, 80  # words, characters: beyond these a search takes long and helps nobody


def nearest(word: str, legal: Iterable[str]) -> str:
    """Return a fix for a message: the nearest legal word, or the first few of them.

    >>> nearest("contans", ["contains", "endswith"])
    'did you mean `contains`?'
    """
    known = sorted(islice(legal, _MANY))
    shown = ", ".join(f"`{each}`" for each in known[:8])
    return meant(word, known) or f"known: {shown}{' …' if len(known) > 8 else ''}"


def meant(word: str, legal: Sequence[str]) -> str:
    """Return a fix that names the legal word that is nearly the same, or "".

    >>> meant("Contans", ["contains", "endswith"])
    'did you mean `contains`?'
    """
    found = closest(word, legal)
    return f"did you mean `{found}`?" if found else ""


def closest(word: str, legal: Sequence[str]) -> str | None:
    """Return the legal word that is nearly the same, in any case of letters; of words alike the first."""
    lower = {each.lower(): each for each in reversed(legal)}
    close = get_close_matches(word[:_LONG].lower(), lower, n=1)
    return lower[close[0]] if close else None
