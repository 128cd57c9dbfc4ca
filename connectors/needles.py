r"""What a pattern's text must hold: a cheap look at lines before patterns are compiled and tried on them.

^user (?P<user>\S+) (?:logged in|refused)$    →    {"logged in", "refused"}, one of which every match holds
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

TOKEN: Final = re.compile(
    r"\\(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|.)"  # an escape
    r"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"  # a class
    r"|\(\?[a-zA-Z-]+\)|\((?:\?(?:P?<[^>]+>|[a-zA-Z-]*:))?"  # flags, or the beginning of a group
    r"|[*+?]\??|\{\d+(?:,\d*)?\}\??|.",
    re.DOTALL,
)
BLANKS: Final = re.compile(r"\(\?[a-zA-Z]*x")  # those in the pattern aren't meant
CASELESS: Final = re.compile(r"\(\?[a-zA-Z]*i")
REPEATED: Final = re.compile(r"[*+?]\??|\{\d")
OPTIONAL: Final = re.compile(r"[*?]|\{0")
ALONE: Final = re.compile(r"\(\?[a-zA-Z-]+\)")  # flags, no group
END: Final = ""
CLOSES: Final = frozenset({")", END})
ENDS: Final = CLOSES | {"|"}
SPECIAL: Final = frozenset(".^$|()[]*+?")

Needles = frozenset[str] | None


@cache
def needles(pattern: str) -> Needles:
    """Return texts one of which stands in whatever the pattern matches; None where none is known.

    Where the pattern takes capitals for small letters, the texts are in small letters.
    """
    if BLANKS.search(pattern):
        return None
    found = _branches(iter([*TOKEN.findall(pattern), END]))
    return frozenset(map(str.lower, found)) if found and CASELESS.search(pattern) else found


def either(found: Iterable[Needles]) -> Needles:
    """Return texts one of which is there where one of several patterns holds."""
    every = list(found)
    return None if None in every else frozenset().union(*(each for each in every if each))


def seen_in(texts: Iterable[str | None]) -> str:
    """Return what `possible` asks: all texts, as they are and without capitals."""
    whole = "\n".join(text for text in texts if text)
    return f"{whole}\n{whole.casefold()}"


def possible(pattern: str, seen: str) -> bool:
    """Say whether any of the texts that `seen` was made of can match a pattern: compiling it takes far longer."""
    found = needles(pattern)
    return found is None or any(each in seen for each in found)


def _branches(tokens: Iterator[str]) -> Needles:
    """Read what stands between bars, until the end of a group or of the pattern."""
    branches: list[Needles] = []
    part = _Part()
    for token in tokens:
        letter = _letter(token)
        if REPEATED.match(token):
            part.repeat(optional=OPTIONAL.match(token) is not None)
        elif letter is not None:
            part.letter(letter)
        elif token in ENDS:
            branches.append(part.ended())
            if token in CLOSES:
                break
            part = _Part()
        else:
            opens = token.startswith("(") and not ALONE.fullmatch(token)
            part.group(_branches(tokens) if opens else None)
    return either(branches)


class _Part:
    """What stands between two bars; its needles are the least likely ones to stand anywhere: the longest."""

    def __init__(self) -> None:
        self._best: Needles = None
        self._run = ""  # letters that stand together
        self._last: Needles = None  # of a group that may yet turn out to be repeated

    def letter(self, letter: str) -> None:
        self._take(self._last)
        self._last, self._run = None, self._run + letter

    def group(self, found: Needles) -> None:
        """End the letters: a group, a class or an anchor stands here."""
        self.ended()
        self._last = found

    def repeat(self, *, optional: bool) -> None:
        """Read that the letter or the group before is repeated, or perhaps not there at all."""
        if optional:
            self._run, self._last = self._run[:-1], None
        self.ended()

    def ended(self) -> Needles:
        self._take(self._last)
        self._take(frozenset({self._run}) if self._run else None)
        self._run, self._last = "", None
        return self._best

    def _take(self, other: Needles) -> None:
        if other and (self._best is None or min(map(len, other)) > min(map(len, self._best))):
            self._best = other


def _letter(token: str) -> str | None:
    """Return the text that a token stands for, if it is one."""
    if token.startswith("\\"):
        return token[1] if len(token) == 2 and not token[1].isalnum() else None
    return token if len(token) == 1 and token not in SPECIAL else None
