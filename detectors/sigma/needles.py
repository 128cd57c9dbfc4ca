"""One multi-pattern pass over a column's distinct values.

Aho and Corasick's automaton (1975) finds all plain texts that predicates look for at once; its cost grows with the text
and the finds, not with the number of rules. What is not a plain text is asked value by value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from detectors.sigma import glob, regex
from detectors.sigma.fold import fold, fold_list
from detectors.sigma.predicates import Predicate
from detectors.sigma.truth import Number, number

Places = npt.NDArray[np.integer[Any]]

_SLICE = 1 << 17  # characters searched at a time: a hostile text holds several finds at every one
_LONG = 1 << 12  # bytes from which a text is searched by itself, and the size of its windows
_DENSE = _LONG  # finds in such a window that are worth a smaller automaton
_BREAK = "\0"  # between values: no needle holds one, so none is found across two values


class Needles:
    """What to look for in one column: compiled once, used on every batch.

    `predicates` are in the order given, and go by their numbers. Those in `sure` are true wherever they are found, the
    others may be. The `unsought` have no text to look for, and may be true of any value.
    """

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        self.predicates = tuple(predicates)
        self.sure: dict[Predicate, int] = {}
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._numbers: dict[Number, list[int]] = defaultdict(list)
        self.unsought: list[int] = []
        self._parts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for at, predicate in enumerate(self.predicates):
            self._add(at, predicate)
        self._texts = list(self._parts)
        self._longest = max(map(len, self._texts), default=0) * 4  # bytes
        self._automaton = _automaton(self._texts) if self._texts else None

    def find(self, texts: Sequence[str]) -> Iterator[tuple[int, Places]]:
        """Yield the number of each predicate that may be true of some text, with the places of all such texts."""
        found: dict[int, list[Places]] = defaultdict(list)
        for begin, end in _slices(texts):
            for at, places in self._found(fold_list(texts[begin:end])):
                found[at].append(places + begin)
        for at, parts in found.items():
            yield at, parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _add(self, at: int, predicate: Predicate) -> None:
        op = predicate.op
        if op == "number":
            self._add_numbers(at, predicate)
            return
        texts = self._plain(predicate)
        if not all(texts) or any(_BREAK in text for text in texts):
            self.unsought.append(at)
            return
        if not predicate.cased and op not in ("like", "regex"):
            self.sure[predicate] = at
        for text in texts:
            if op == "equals":
                self._exact[text].append(at)
            else:
                self._parts[text].append((op, at))

    def _add_numbers(self, at: int, predicate: Predicate) -> None:
        known = [value for each in predicate.values if (value := number(each)) is not None]
        if len(known) < len(predicate.values):  # beyond what a float holds
            self.unsought.append(at)
            return
        self.sure[predicate] = at
        for value in known:
            self._numbers[value].append(at)

    @staticmethod
    def _plain(predicate: Predicate) -> list[str]:
        """Return lower-case texts one of which stands in every text that satisfies the predicate."""
        match predicate.op:
            case "contains" | "startswith":
                return _shortest(_folded(predicate, predicate.values))
            case "equals" | "endswith":
                return _folded(predicate, predicate.values)
            case "like":
                return _folded(predicate, [glob.literal(value) for value in predicate.values])
            case "regex":
                return [regex.literal(value) for value in predicate.values]
            case _:
                return [""]

    def _found(self, lower: Sequence[str]) -> Iterator[tuple[int, Places]]:
        if self._exact:
            yield from self._found_exact(lower)
        if self._numbers:
            yield from self._found_numbers(lower)
        if self._automaton is not None:
            yield from self._found_parts(self._automaton, lower)

    def _found_exact(self, lower: Sequence[str]) -> Iterator[tuple[int, Places]]:
        for place, text in enumerate(lower):
            for at in self._exact.get(text, ()):
                yield at, np.array([place])

    def _found_numbers(self, lower: Sequence[str]) -> Iterator[tuple[int, Places]]:
        for place, text in enumerate(lower):
            value = number(text)
            if value is not None:
                for at in self._numbers.get(value, ()):
                    yield at, np.array([place])

    def _found_parts(
        self, automaton: ahocorasick_rs.BytesAhoCorasick, lower: Sequence[str]
    ) -> Iterator[tuple[int, Places]]:
        texts = [text.encode() for text in lower]
        for place, text in enumerate(texts):
            if len(text) > _LONG:
                texts[place] = b""
                for at in self._found_long(automaton, text):
                    yield at, np.array([place])
        finds = automaton.find_matches_as_indexes(_BREAK.encode().join(texts), overlapping=True)
        if not finds:
            return
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        which, start, end = np.array(finds, dtype=np.int64).T
        place = np.searchsorted(begins, start, side="right") - 1
        at_start, at_end = start == begins[place], end == begins[place] + lengths[place]
        order = np.argsort(which, kind="stable")
        bounds = np.flatnonzero(np.diff(which[order], prepend=-1))
        for group in np.split(order, bounds[1:]):
            for op, at in self._parts[self._texts[which[group[0]]]]:
                fits = {"startswith": at_start, "endswith": at_end}.get(op)
                chosen = group if fits is None else group[fits[group]]
                if chosen.size:
                    yield at, place[chosen]

    def _found_long(self, automaton: ahocorasick_rs.BytesAhoCorasick, text: bytes) -> set[int]:
        """Return what is true of a long text; what is found once is no longer looked for where finds are dense."""
        left, found, longest = self._texts, set[str](), self._longest
        for begin in range(0, len(text), _LONG):
            finds = automaton.find_matches_as_indexes(text[begin : begin + _LONG + longest], overlapping=True)
            found.update(left[which] for which, _, _ in finds)
            if len(finds) > _DENSE:
                left = [needle for needle in left if needle not in found]
                if not left:
                    break
                automaton = _automaton(left)
        ends = {"startswith": text.startswith, "endswith": text.endswith}
        return {at for needle in found for op, at in self._parts[needle] if op not in ends or ends[op](needle.encode())}


def _folded(predicate: Predicate, texts: Sequence[str]) -> list[str]:
    """Return texts of a predicate without their case: those of an uncased one have none already."""
    return [fold(text) for text in texts] if predicate.cased else [*texts]


def _shortest(texts: list[str]) -> list[str]:
    """Leave out texts that begin with another: where they are found, so is that one.

    The automaton takes time quadratic in the number of texts to build where thousands begin alike.
    """
    kept: list[str] = []
    for text in sorted(texts):
        if not kept or not text.startswith(kept[-1]):
            kept.append(text)
    return kept


def _automaton(texts: list[str]) -> ahocorasick_rs.BytesAhoCorasick:
    return ahocorasick_rs.BytesAhoCorasick(
        [text.encode() for text in texts],
        matchkind=ahocorasick_rs.MatchKind.Standard,
        implementation=ahocorasick_rs.Implementation.ContiguousNFA,
    )


def _slices(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut texts into runs of bounded length: the finds of one are in memory at a time."""
    begin = size = 0
    for place, text in enumerate(texts):
        size += len(text)
        if size >= _SLICE:
            yield begin, place + 1
            begin, size = place + 1, 0
    if begin < len(texts):
        yield begin, len(texts)
