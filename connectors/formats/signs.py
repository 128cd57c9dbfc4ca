"""The signs that tell pairs of keys and values apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """What stands between a key and its value, around values, and after those that hold blanks: any of each.

    `blanks` says that keys hold blanks and parentheses.
    """

    equals: str
    quotes: str
    separator: str
    blanks: bool = False
