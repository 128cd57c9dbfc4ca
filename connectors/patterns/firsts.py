"""What may stand first where an instruction goes on, and what follows from it.

Where what follows a run can't begin with what the run is made of, nothing is ever tried twice (SPAN); before a choice
the next byte mostly tells which way can't be (guards). So most lines are read from left to right once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from connectors.patterns.codes import (
    END,
    FIELD,
    GREEDY,
    JUMP,
    LETTER,
    MARK,
    MATCH,
    RUNS,
    SAVE,
    SET,
    SETS,
    SPAN,
    SPLIT,
    TEXT,
    UNGUARDED,
)
from connectors.patterns.letters import NO, SIZE, YES
from connectors.patterns.maker import Maker


@dataclass(slots=True)
class First:
    """What may stand first where an instruction goes on."""

    mask: int = 0  # a bit for every byte
    empty: bool = False  # the match ends
    ended: bool = False  # the text ends
    unsure: bool = False  # the match ends at certain places


def first(made: Maker, start: int) -> First:
    """Return what may stand first where the instructions go on from here."""
    found, left, seen = First(), [(start, False)], set()
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += _passed(made, *here, found)
    return found


def _passed(made: Maker, at: int, conditional: bool, found: First) -> list[tuple[int, bool]]:
    """Note what an instruction looks for, or return where it goes on without taking anything."""
    what, a, b, *_ = made.code[at]
    after: list[int] = []
    if what == MATCH:
        found.empty |= not conditional
        found.unsure |= conditional
    elif what == END:
        found.ended = True
    elif what == TEXT:
        found.mask |= 1 << made.texts[a]
    elif what == LETTER:
        found.mask |= 1 << a
    elif what in (SET, *RUNS):
        found.mask |= made.masks[a]
        after = [at + 1] if what != SET and b == 0 else []
    elif what in (SPLIT, JUMP):
        after = [a, b] if what == SPLIT else [a]
    else:
        after, conditional = [at + 1], conditional or what not in (SAVE, MARK)
    return [(place, conditional) for place in after]


def sharpened(made: Maker) -> None:
    """Add guards, and turn runs into spans where nothing that follows could begin with what they are made of."""
    for at, instruction in enumerate(made.code):
        what, a, b = instruction[:3]
        if what in RUNS:
            after = first(made, at + 1)
            apart = not after.mask & made.masks[a]
            if what == GREEDY and not after.unsure and (after.empty or apart):
                instruction[0] = SPAN
            else:
                instruction[4] = guard(made, after)
        elif what == SPLIT:
            instruction[3], instruction[4] = guard(made, first(made, a)), guard(made, first(made, b))


def fused(made: Maker) -> None:
    """Take what always comes together for one instruction: a group that is a run, and certain classes in a row."""
    for at in range(len(made.code) - 2):
        save, span, saved = made.code[at : at + 3]
        if save[0] == saved[0] == SAVE and span[0] == SPAN and saved[1] == save[1] + 1:
            made.code[at] = [FIELD, *span[1:4], save[1]]
    for alone, row in groupby(made.code, lambda instruction: instruction[0] not in (SET, LETTER)):
        members = [] if alone else [*row]
        for place, instruction in enumerate(members if len(members) > 1 else ()):
            what, a = instruction[:2]
            states = made.set(bytes(YES if byte == a else NO for byte in range(SIZE))) if what == LETTER else a
            instruction[:3] = [SETS, states, len(members) - place]


def guard(made: Maker, begins: First) -> int:
    """Return what must stand where something begins, UNGUARDED where that may be nothing."""
    if begins.empty or begins.unsure:
        return UNGUARDED
    states = bytes(YES if begins.mask >> byte & 1 else NO for byte in range(SIZE))
    return 2 * made.set(states) + begins.ended
