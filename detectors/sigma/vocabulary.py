"""What is known of the values that a column has had: what needles found in them, and what predicates say of them.

Logs repeat themselves, within a batch and from one to the next. A value gets a number when it first comes, and whatever
is worked out, is worked out once per number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from itertools import chain as flatten
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.sigma.needles import Needles
from detectors.sigma.predicates import ABSENCE_OPS, Predicate
from detectors.sigma.truth import holds

Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_UNKNOWN = np.int8(-1)
_FEW = 16  # numbers that Python sorts sooner than a table is made
_ROOM = 64  # values that there is room for at first
_MEMORY = 64_000_000  # bytes of answers that one vocabulary may keep
_ENTRY = 200  # bytes that a value takes beside its characters


class Marks:
    """Which of some needles' predicates are true of which values."""

    def __init__(self) -> None:
        self.known = 0  # values that were searched
        self.of: dict[int, list[int]] = {}  # value → numbers of the predicates, where there are any
        self.any: Flags = np.zeros(_ROOM, np.bool_)  # whether there are; the last is that of no value

    def make_room(self, values: int) -> None:
        """Have room for so many values."""
        if values >= self.any.size:
            grown = np.zeros(4 * values, np.bool_)
            grown[: self.known] = self.any[: self.known]
            self.any = grown


class Vocabulary:
    """The values of one column: texts, or lists of texts (`many`), of which a predicate asks whether any satisfies it.

    Codes are the numbers of values; -1 stands for no value.
    """

    def __init__(self, *, many: bool = False) -> None:
        self.values: list[Any] = []
        self._many = many
        self._numbers: dict[Any, int] = {}
        self._bytes = 0
        self._room = _ROOM
        self._marks: dict[Needles, Marks] = {}
        self._memo: dict[Predicate, npt.NDArray[np.int8]] = {}

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return self._bytes + len(self._memo) * self._room

    def numbers(self, values: Sequence[Any]) -> list[int]:
        """Return the numbers of values; those that are new get one."""
        keys = [tuple(value) for value in values] if self._many else values
        known = self._numbers
        for key, value in zip(keys, values, strict=True):
            if key not in known:
                known[key] = len(self.values)
                self.values.append(value)
                self._bytes += _ENTRY + (sum(map(len, filter(None, value))) if self._many else len(value))
        while self._room < len(self.values):
            self._room *= 4
        return [known[key] for key in keys]

    def marks(self, needles: Needles) -> Marks:
        """Return which of the needles' predicates are true of which values."""
        if needles not in self._marks:
            self._marks[needles] = Marks()
        marks = self._marks[needles]
        if marks.known < len(self.values):
            marks.make_room(len(self.values))
            self._search(needles, marks)
            marks.known = len(self.values)
        return marks

    def test(self, predicate: Predicate, codes: Codes) -> Flags:
        """Say for each code (-1 too) whether the predicate holds."""
        memo = self._memory(predicate)
        known = memo.take(codes)
        unknown = known == _UNKNOWN
        if np.count_nonzero(unknown):
            asked = distinct(codes[unknown], len(self))
            memo[asked] = self._work_out(predicate, asked.tolist())
            known = memo.take(codes)
        return known.view(np.bool_)

    def _search(self, needles: Needles, marks: Marks) -> None:
        """Mark the values that are new."""
        start = marks.known
        texts, owners = self._texts(start)
        found = {at: places if owners is None else owners[places] for at, places in needles.find(texts)}
        found |= dict.fromkeys(needles.unsought, np.arange(len(self.values) - start))
        for at, places in found.items():
            codes = (distinct(places, len(self.values) - start) + start).astype(np.int32)
            predicate = needles.predicates[at]
            if predicate not in needles.sure:
                codes = codes[self.test(predicate, codes)]
            marks.any[codes] = True
            for code in codes.tolist():
                marks.of.setdefault(code, []).append(at)

    def _texts(self, start: int) -> tuple[list[str], Codes | None]:
        """Return the texts of the values from one on and, where values are lists, which of these each belongs to."""
        values = self.values[start:]
        if not self._many:
            return values, None
        owned = [(text, owner) for owner, value in enumerate(values) for text in value if text is not None]
        return [text for text, _ in owned], np.array([owner for _, owner in owned], np.int32)

    def _memory(self, predicate: Predicate) -> npt.NDArray[np.int8]:
        """Return what is known of each value; all is forgotten where it would take too much memory."""
        memo = self._memo.get(predicate)
        if memo is None or memo.size <= self._room:
            if len(self._memo) * self._room > _MEMORY:
                self._memo.clear()
            grown = np.full(self._room + 1, _UNKNOWN, np.int8)
            grown[-1] = predicate.op in ABSENCE_OPS  # the code -1 finds it there
            if memo is not None:
                grown[: memo.size - 1] = memo[:-1]
            memo = self._memo[predicate] = grown
        return memo

    def _work_out(self, predicate: Predicate, codes: list[int]) -> list[bool]:
        for needles, marks in self._marks.items():
            at = needles.sure.get(predicate)
            if at is not None and codes[-1] < marks.known:
                return [at in marks.of.get(code, ()) for code in codes]
        values = [self.values[code] for code in codes]
        if not self._many:
            return holds(predicate, values)
        if predicate.op in ("present", "exists", *ABSENCE_OPS):
            return [predicate.op not in ABSENCE_OPS] * len(values)
        lists = [[text for text in value if text is not None] for value in values]
        answers = holds(predicate, list(flatten.from_iterable(lists)))
        ends = list(accumulate(map(len, lists)))
        return [any(answers[end - len(texts) : end]) for texts, end in zip(lists, ends, strict=True)]


def distinct(numbers: npt.NDArray[np.integer[Any]], end: int) -> npt.NDArray[np.int64]:
    """Return each of the numbers below `end` once, in order; np.unique takes ten times as long."""
    if numbers.size <= _FEW:
        return np.array(sorted(set(numbers.tolist())), np.int64)
    there = np.zeros(end, np.bool_)
    there[numbers] = True
    return there.nonzero()[0]
