"""What the machine's instructions do; `a`, `b`, `c` and `d` are what a row of four numbers behind each says."""

from __future__ import annotations

from typing import Final

(
    MATCH,
    SET,
    SPAN,
    GREEDY,
    LAZY,
    SPLIT,
    JUMP,
    SAVE,
    BEGIN,
    END,
    FIRST,
    LAST,
    BOUND,
    INSIDE,
    TEXT,
    LETTER,
    FIELD,
    MARK,
    SETS,
) = range(19)
SIZE: Final = 5  # numbers of an instruction
RUNS: Final = (SPAN, GREEDY, LAZY)
ASSERTIONS: Final = {"begin": BEGIN, "end": END, "first": FIRST, "last": LAST, "bound": BOUND, "inside": INSIDE}
UNGUARDED: Final = -1  # else the number of a class, times two, and one where the text may end there
