"""Runs the instructions of patterns over texts, as machine code.

As in Perl and in Rust's `regex` the first way that fits counts. What was put off stands on a stack; a text that needs
more than LIMIT steps a byte, or holds a character that its first byte doesn't tell, is *odd*: Polars reads it.

Invariants: no byte beyond the text is read; time and memory are linear in the texts; equal inputs give equal outputs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.native import Bytes, Places, Spans, compiled
from connectors.patterns.letters import NO, UNSURE, YES
from connectors.patterns.program import (
    BEGIN,
    BOUND,
    END,
    GREEDY,
    JUMP,
    LAZY,
    MATCH,
    SAVE,
    SET,
    SPAN,
    SPLIT,
    TEXT,
)
from connectors.patterns.reading import NONE, ODD, Sets, alike, belongs, bounds, found, guarded, run, width
from connectors.patterns.syntax import MOST

Code = npt.NDArray[np.int32]

LIMIT, START = 24, 4_000  # steps a byte, and for every text
DEEP: Final = 2_000  # entries of the stack
# entries of the stack: another way; a run that may end sooner, or later; what a place was
WAY, SHORTER, LONGER, PLACE = range(4)


class Scratch(NamedTuple):
    """What one call works with, whatever stands in it before."""

    places: Spans
    stack: Places
    budget: Places


def scratch(groups: int) -> Scratch:
    """Return what a call for so many groups works with."""
    return Scratch(np.empty(2 * groups + 2, np.int32), np.empty((DEEP + 1, 4), np.int64), np.empty(1, np.int64))


@compiled
def attempt(
    data: Bytes,
    begin: int,
    at: int,
    end: int,
    pc: int,
    code: Code,
    sets: Sets,
    texts: Bytes,
    places: Spans,
    stack: Places,
    budget: Places,
) -> int:
    """Try a pattern at one place: 1 it fits, 0 it doesn't, -2 odd."""
    top = 0
    steps = budget[0]
    while True:
        steps -= 1
        if steps < 0 or top + 2 > DEEP:
            return ODD
        what, a, b = code[pc, 0], code[pc, 1], code[pc, 2]
        good = True
        if what == SET:
            state = NO
            if at < end:
                state = belongs(data, at, end, sets[a])
            if state == UNSURE:
                return ODD
            good = state == YES
            if good:
                at = at + 1 if data[at] < 128 else width(data, at, end)
                pc += 1
        elif what == SPAN:
            last, _ = run(data, at, end, sets[a], b, code[pc, 3])
            if last == ODD:
                return ODD
            good = last >= 0
            if good:
                steps -= (last - at) >> 2
                at = last
                pc += 1
        elif what == SAVE:
            if top:
                stack[top, 0], stack[top, 1], stack[top, 2] = PLACE, a, places[a]
                top += 1
            places[a] = at - begin
            pc += 1
        elif what == TEXT:
            good = end - at >= b and alike(data, at, texts, a, b)
            if good:
                at += b
                pc += 1
        elif what == GREEDY:
            last, low = run(data, at, end, sets[a], b, code[pc, 3])
            if last == ODD:
                return ODD
            good = last >= 0
            if good:
                steps -= (last - at) >> 2
                stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = SHORTER, pc, last, low
                top += 1
                good = False  # what is on the stack goes on
        elif what == LAZY:
            last, low = run(data, at, end, sets[a], b, b)
            if last == ODD:
                return ODD
            good = last >= 0
            if good:
                stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = LONGER, pc, last, b
                top += 1
                good = False
        elif what == SPLIT:
            first = guarded(data, at, end, code[pc, 3], sets)
            second = guarded(data, at, end, code[pc, 4], sets)
            if first:
                if second:
                    stack[top, 0], stack[top, 1], stack[top, 2] = WAY, b, at
                    top += 1
                pc = a
            elif second:
                pc = b
            else:
                good = False
        elif what == JUMP:
            pc = a
        elif what == MATCH:
            budget[0] = steps
            return 1
        elif what == END:
            good = at == end
            pc += 1
        elif what == BEGIN:
            good = at == begin
            pc += 1
        else:
            state = bounds(data, at, begin, end)
            if state == ODD:
                return ODD
            good = state == int(what == BOUND)
            pc += 1
        while not good:  # what was put off last
            if top == 0:
                budget[0] = steps
                return 0
            top -= 1
            kind = stack[top, 0]
            if kind == PLACE:
                places[stack[top, 1]] = stack[top, 2]
                continue
            pc, at = stack[top, 1], stack[top, 2]
            if kind == WAY:
                good = True
            elif kind == SHORTER:
                low, guard = stack[top, 3], code[pc, 4]
                place = at
                while place >= low and not (
                    (place == end or data[place] & 0xC0 != 0x80) and guarded(data, place, end, guard, sets)
                ):
                    place -= 1
                steps -= (at - place) >> 2
                if place >= low:
                    if place > low:
                        stack[top, 2] = place - 1
                        top += 1
                    at, pc, good = place, pc + 1, True
            else:
                count, guard, most = stack[top, 3], code[pc, 4], code[pc, 3]
                states = sets[code[pc, 1]]
                place = at
                if most == MOST and code[pc + 1, 0] == TEXT:  # straight to where what follows stands next
                    goal = found(data, place, end, texts, code[pc + 1, 1], code[pc + 1, 2])
                    steps -= ((goal if goal >= 0 else end) - place) >> 4
                    if goal < 0:
                        continue
                    while place < goal and states[data[place]] == YES:
                        place += 1
                while True:
                    if guarded(data, place, end, guard, sets):
                        good = True
                        break
                    if place >= end or count >= most:
                        break
                    state = belongs(data, place, end, states)
                    if state == UNSURE:
                        return ODD
                    if state == NO:
                        break
                    place = width(data, place, end)
                    count += 1
                steps -= (place - at) >> 2
                if good:
                    if place < end and count < most:
                        state = belongs(data, place, end, states)
                        if state == UNSURE:
                            return ODD
                        if state == YES:
                            stack[top, 2], stack[top, 3] = width(data, place, end), count + 1
                            top += 1
                    at, pc = place, pc + 1


@compiled
def fit(
    data: Bytes,
    starts: Places,
    ends: Places,
    code: Code,
    sets: Sets,
    texts: Bytes,
    entries: Code,
    firsts: Code,
    bound: npt.NDArray[np.bool_],
    needles: Code,
    leads: Code,
    which: npt.NDArray[np.int16],
    begins: Spans,
    sizes: Spans,
    scratch: Scratch,
) -> None:
    """Set per text the first pattern that fits, and where each of its groups stands: begin, and size or -1."""
    groups = begins.shape[0]
    places, stack, budget = scratch
    for row in range(starts.size):
        begin, end = starts[row], ends[row]
        which[row] = NONE
        budget[0] = LIMIT * (end - begin) + START
        for number in range(entries.size if end >= begin else 0):
            at, result = begin, 0
            if needles[number, 1] and found(data, begin, end, texts, needles[number, 0], needles[number, 1]) < 0:
                continue
            while True:
                if leads[number, 1]:
                    at = found(data, at, end, texts, leads[number, 0], leads[number, 1])
                    if at < 0:
                        break
                if guarded(data, at, end, firsts[number], sets):
                    places[:] = NONE
                    result = attempt(data, begin, at, end, entries[number], code, sets, texts, places, stack, budget)
                    if result != 0:
                        break
                if bound[number] or at >= end:
                    break
                at = width(data, at, end)
            if result != 0:
                which[row] = number if result == 1 else ODD
                break
        for group in range(groups):
            first, last = places[2 * group], places[2 * group + 1]
            there = which[row] >= 0 and first >= 0 and last >= 0
            begins[group, row] = first if there else 0
            sizes[group, row] = last - first if there else NONE
