r"""Classes of characters as the machine looks at them: a state for every byte.

A character beyond ASCII is judged by its first byte; where that can't tell, the text is left to Polars (UNSURE).
`\s` holds only few such: no letter of Vietnamese begins like one of them but for E1, whose second byte tells.
"""

from __future__ import annotations

from typing import Final

States = bytes  # of 256

NO, YES, UNSURE, NEARLY_NO, NEARLY_YES = range(5)  # nearly: but for what begins with E1 9A
SIZE: Final = 256
NEGATED: Final = {NO: YES, YES: NO, UNSURE: UNSURE, NEARLY_NO: NEARLY_YES, NEARLY_YES: NEARLY_NO}


def _class(ascii_bytes: bytes, *, beyond: int = NO) -> States:
    return bytes(YES if byte in ascii_bytes else NO if byte < 128 else beyond for byte in range(SIZE))


def _space() -> States:
    states = bytearray(_class(b"\t\n\v\f\r "))
    for lead in (0xC2, 0xE2, 0xE3):
        states[lead] = UNSURE
    states[0xE1] = NEARLY_NO
    return bytes(states)


DIGITS: Final = b"0123456789"
UPPER, LOWER = bytes(range(ord("A"), ord("Z") + 1)), bytes(range(ord("a"), ord("z") + 1))
LETTERS: Final = frozenset(UPPER + LOWER + b"_")
CLASSES: Final = {
    "d": _class(DIGITS, beyond=UNSURE),
    "w": _class(DIGITS + UPPER + LOWER + b"_", beyond=UNSURE),
    "s": _space(),
}
NOTHING: Final = bytes(SIZE)
OTHER: Final = _class(b"", beyond=UNSURE)  # some characters beyond ASCII


def known(letter: str) -> States:
    r"""Return the class that a backslash and this letter mean."""
    return CLASSES[letter] if letter in CLASSES else negated(CLASSES[letter.lower()])


def one(first: str, last: str | None = None, *, folded: bool = False) -> States:
    """Return the class of a character, or of all from one to another."""
    low, high = ord(first), ord(last or first)
    states = bytes(YES if low <= byte <= high and byte < 128 else NO for byte in range(SIZE))
    if folded:
        states = bytes(_either_case(states, byte) for byte in range(SIZE))
    return union(states, OTHER) if high > 127 or folded else states


def _either_case(states: States, byte: int) -> int:
    other = byte ^ 32 if byte in UPPER + LOWER else byte
    return max(states[byte], states[other])


def union(one: States, other: States) -> States:
    """Return the class of what is in either."""
    return bytes(map(_union, one, other))


def _union(one: int, other: int) -> int:
    if other in (one, NO):
        return one
    if one == NO:
        return other
    return YES if YES in (one, other) else UNSURE


def negated(states: States) -> States:
    """Return the class of all other characters."""
    return bytes(map(NEGATED.__getitem__, states))


def without(states: States, text: bytes) -> States:
    """Return the class without some characters of ASCII."""
    return bytes(NO if byte in text else state for byte, state in enumerate(states))
