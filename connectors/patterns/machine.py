"""Runs the instructions of patterns over texts, as machine code.

As in Perl and in Rust's `regex` the first way that fits counts. What was put off stands on a stack; a text that needs
more than LIMIT steps a byte, or holds a character that its first byte doesn't tell, is *odd*: Polars reads it.

Invariants: no byte beyond the text is read; time and memory are linear in the texts; equal inputs give equal outputs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.native import Bytes, Places, Spans, compiled, item
from connectors.patterns.codes import (
    BEGIN,
    BOUND,
    END,
    FIELD,
    FIRST,
    GREEDY,
    JUMP,
    LAST,
    LAZY,
    LETTER,
    MARK,
    MATCH,
    SAVE,
    SET,
    SETS,
    SIZE,
    SPAN,
    SPLIT,
    TEXT,
)
from connectors.patterns.letters import NO, UNSURE, YES
from connectors.patterns.program import Program
from connectors.patterns.reading import (
    NONE,
    ODD,
    Sets,
    alike,
    before,
    belongs,
    bounds,
    certain,
    found,
    guarded,
    run,
    width,
)
from connectors.patterns.syntax import MOST

Code = npt.NDArray[np.int32]  # instructions, one after the other

NEWLINE: Final = 10
LIMIT, START = 24, 4_000  # steps a byte, and for every text
DEEP: Final = 2_000  # entries of the stack
# entries of the stack: another way; a run that may end sooner, or later; what a place was, and both places of a group
WAY, SHORTER, LONGER, PLACE, GROUP = range(5)
# what is known of a mark, if it isn't the place where it was set: nothing; it is not reached; it is in several ways
UNKNOWN, FAILED, SEVERAL = -1, -2, -3


class Scratch(NamedTuple):
    """What one call works with, whatever stands in it before."""

    places: Spans
    stack: Places
    budget: Places
    marks: Places


class Found(NamedTuple):
    """What is found: the first pattern that each text fits; where its groups begin there, and their sizes or -1."""

    which: npt.NDArray[np.int16]
    begins: Spans
    sizes: Spans


def scratch(groups: int, marks: int) -> Scratch:
    """Return what a call for so many groups works with."""
    places, stack = np.empty(2 * groups + 2, np.int32), np.empty((DEEP + 1, 4), np.int64)
    return Scratch(places, stack, np.empty(1, np.int64), np.empty(marks, np.int64))


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
    scratch: Scratch,
) -> int:
    """Try a pattern at one place: 1 it fits, 0 it doesn't, -2 odd."""
    places, stack, budget, marks = scratch
    top = 0
    steps = budget[0]
    while True:
        steps -= 1
        if steps < 0 or top + 2 > DEEP:
            return ODD
        here = pc * SIZE
        what, a, b = item(code, here), item(code, here + 1), item(code, here + 2)
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
        elif what == SETS:
            for place in range(here, here + b * SIZE, SIZE):
                state = NO
                if at < end:
                    state = belongs(data, at, end, sets[item(code, place + 1)])
                if state != YES:
                    break
                at = at + 1 if item(data, at) < 128 else width(data, at, end)
            if state == UNSURE:
                return ODD
            good = state == YES
            pc += b
        elif what == SPAN:
            last, _ = run(data, at, end, sets[a], b, item(code, here + 3))
            if last == ODD:
                return ODD
            good = last >= 0
            if good:
                steps -= (last - at) >> 2
                at = last
                pc += 1
        elif what == FIELD:
            last, _ = run(data, at, end, sets[a], b, item(code, here + 3))
            if last == ODD:
                return ODD
            good = last >= 0
            if good:
                place = item(code, here + 4)
                if top:
                    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = (
                        GROUP,
                        place,
                        places[place],
                        places[place + 1],
                    )
                    top += 1
                places[place], places[place + 1] = at - begin, last - begin
                steps -= (last - at) >> 2
                at = last
                pc += 3
        elif what == LETTER:
            good = at < end and data[at] == a
            if good:
                at += 1
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
            last, low = run(data, at, end, sets[a], b, item(code, here + 3))
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
            first = guarded(data, at, end, item(code, here + 3), sets)
            second = guarded(data, at, end, item(code, here + 4), sets)
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
        elif what == MARK:
            marks[a] = at if top == 0 and marks[a] == FAILED else SEVERAL
            pc += 1
        elif what == MATCH:
            budget[0] = steps
            return 1
        elif what == END:
            good = at == end
            pc += 1
        elif what == BEGIN:
            good = at == begin
            pc += 1
        elif what == FIRST:
            good = at == begin or data[at - 1] == NEWLINE
            pc += 1
        elif what == LAST:
            good = at == end or data[at] == NEWLINE
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
            if kind == GROUP:
                places[stack[top, 1]], places[stack[top, 1] + 1] = stack[top, 2], stack[top, 3]
                continue
            pc, at = stack[top, 1], stack[top, 2]
            here = pc * SIZE
            if kind == WAY:
                good = True
            elif kind == SHORTER:
                low, guard = stack[top, 3], item(code, here + 4)
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
                count, guard, most = stack[top, 3], item(code, here + 4), item(code, here + 3)
                states = sets[item(code, here + 1)]
                place = at
                if most == MOST and item(code, here + SIZE) == TEXT:  # straight to where what follows stands next
                    goal = found(data, place, end, texts, item(code, here + SIZE + 1), item(code, here + SIZE + 2))
                    steps -= ((goal if goal >= 0 else end) - place) >> 4
                    if goal < 0:
                        continue
                    place = certain(data, place, goal, states)
                    while place < goal and states[data[place]] == YES:
                        place += 1
                elif most == MOST and guard >= 0:
                    place = before(data, place, end, states, sets[guard >> 1])
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
def held(data: Bytes, begin: int, end: int, number: int, program: Program) -> bool:
    """Say whether a text holds any of those that whatever fits a pattern holds one of."""
    first, last = program.sought[number, 0], program.sought[number, 1]
    for each in range(first, last):
        if found(data, begin, end, program.texts, program.needles[each, 0], program.needles[each, 1]) >= 0:
            return True
    return bool(first == last)


@compiled
def begun(data: Bytes, begin: int, end: int, number: int, program: Program, scratch: Scratch) -> int:
    """Try a pattern where a text begins: 1 it fits, 0 it doesn't, -2 odd; where others began so, it goes on there."""
    lead, size = program.leads[number, 0], program.leads[number, 1]
    if size and not (end - begin >= size and alike(data, begin, program.texts, lead, size)):
        return 0
    if not guarded(data, begin, end, program.firsts[number], program.sets):
        return 0
    if not held(data, begin, end, number, program):
        return 0
    resumes, marks, spans, depths, kept = program.shares
    mark, at, pc = resumes[number, 0], begin, program.entries[number]
    state = scratch.marks[mark] if mark >= 0 else UNKNOWN
    depth = depths[mark] if state >= 0 or state == FAILED else 0
    for each in range(spans[number, 0], spans[number, 1]):
        if depths[marks[each]] > depth:
            scratch.marks[marks[each]] = FAILED
    if state == FAILED:
        return 0
    if state >= 0:
        at, pc = state, resumes[number, 1]
    for place in range(kept.shape[1]):
        if state < 0 or not kept[mark, place]:
            scratch.places[place] = NONE
    return attempt(data, begin, at, end, pc, program.code, program.sets, program.texts, scratch)


@compiled
def sought(data: Bytes, begin: int, end: int, number: int, program: Program, scratch: Scratch) -> int:
    """Try a pattern at one place of a text after the other: 1 it fits, 0 it doesn't, -2 odd."""
    if not held(data, begin, end, number, program):
        return 0
    at, lead, size, first = begin, program.leads[number, 0], program.leads[number, 1], program.firsts[number]
    while True:
        if size:
            at = found(data, at, end, program.texts, lead, size)
            if at < 0:
                return 0
        else:
            while at < end and not guarded(data, at, end, first, program.sets):
                at = width(data, at, end)
        if guarded(data, at, end, first, program.sets):
            scratch.places[:] = NONE
            result = attempt(
                data, begin, at, end, program.entries[number], program.code, program.sets, program.texts, scratch
            )
            if result != 0:
                return result
        if at >= end:
            return 0
        at = width(data, at, end)


@compiled
def fit(data: Bytes, starts: Places, ends: Places, program: Program, found: Found, scratch: Scratch) -> None:
    """Set what of some patterns each text fits."""
    which, begins, sizes = found
    groups = begins.shape[0]
    places, _, budget, marks = scratch
    for row in range(starts.size):
        begin, end = starts[row], ends[row]
        which[row] = NONE
        budget[0] = LIMIT * (end - begin) + START
        marks[:] = UNKNOWN
        for number in range(program.entries.size if end >= begin else 0):
            if program.bound[number]:
                result = begun(data, begin, end, number, program, scratch)
            else:
                result = sought(data, begin, end, number, program, scratch)
            if result != 0:
                which[row] = number if result == 1 else ODD
                break
        for group in range(groups):
            first, last = places[2 * group], places[2 * group + 1]
            there = which[row] >= 0 and first >= 0 and last >= 0
            begins[group, row] = first if there else 0
            sizes[group, row] = last - first if there else NONE
