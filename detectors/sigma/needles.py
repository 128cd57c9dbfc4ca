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
from detectors.sigma.columns import Codes, Column, distinct
from detectors.sigma.fold import fold, fold_list
from detectors.sigma.predicates import Predicate
from detectors.sigma.truth import number

Places = npt.NDArray[np.integer[Any]]

_SLICE = 1 << 17  # characters searched at a time: a hostile text holds several finds at every one
_LONG = 1 << 12  # bytes from which a text is searched by itself, and the size of its windows
_DENSE = _LONG  # finds in such a window that are worth a smaller automaton
_BREAK = "\0"  # between values: no needle holds one, so none is found across two values


class Needles:
    """What to look for in one column: compiled once, used on every batch."""

    def __init__(self, predicates: Iterable[Predicate]) -> None:
        self._exact: dict[str, list[Predicate]] = defaultdict(list)
        self._numbers: dict[float, list[Predicate]] = defaultdict(list)
        self._scan: list[Predicate] = []
        self._parts: dict[str, list[tuple[str, Predicate]]] = defaultdict(list)
        self._verify: set[Predicate] = set()
        for predicate in predicates:
            self._add(predicate)
        self._texts = list(self._parts)
        self._automaton = _automaton(self._texts) if self._texts else None

    def find(self, column: Column) -> Iterator[tuple[Predicate, Codes]]:
        """Yield each predicate that is true for some value, with all the values for which it is."""
        if not len(column):
            return
        texts, owners = column.texts()
        found: dict[Predicate, list[Places]] = defaultdict(list)
        for begin, end in _slices(texts):
            for predicate, places in self._found(fold_list(texts[begin:end])):
                found[predicate].append(places + begin)
        for predicate, parts in found.items():
            places = np.concatenate(parts)
            codes = distinct(places if owners is None else owners[places], len(column)).astype(np.int32)
            if predicate in self._verify:
                codes = codes[column.test(predicate, codes)]
            else:
                column.learn(predicate, codes)
            if codes.size:
                yield predicate, codes
        everything = np.arange(len(column), dtype=np.int32)
        for predicate in self._scan:
            codes = everything[column.test(predicate, everything)]
            if codes.size:
                yield predicate, codes

    def _add(self, predicate: Predicate) -> None:
        op = predicate.op
        if op == "number":
            self._add_numbers(predicate)
            return
        texts = self._plain(predicate)
        if not all(texts) or any(_BREAK in text for text in texts):
            self._scan.append(predicate)
            return
        if predicate.cased or op in ("like", "regex"):
            self._verify.add(predicate)
        for text in texts:
            if op == "equals":
                self._exact[text].append(predicate)
            else:
                self._parts[text].append((op, predicate))

    def _add_numbers(self, predicate: Predicate) -> None:
        floats = [number(value) for value in predicate.values]
        known = [value for value in floats if value is not None]
        if len(known) < len(floats):  # beyond what a float holds
            self._scan.append(predicate)
            return
        for value in known:
            self._numbers[value].append(predicate)
        self._verify.add(predicate)  # a float can't tell large neighbours apart

    @staticmethod
    def _plain(predicate: Predicate) -> list[str]:
        """Return lower-case texts one of which stands in every text that satisfies the predicate."""
        match predicate.op:
            case "equals" | "contains" | "startswith" | "endswith":
                return [fold(value) for value in predicate.values]
            case "like":
                return [fold(glob.literal(value)) for value in predicate.values]
            case "regex":
                return [regex.literal(value) for value in predicate.values]
            case _:
                return [""]

    def _found(self, lower: Sequence[str]) -> Iterator[tuple[Predicate, Places]]:
        if self._exact:
            yield from self._found_exact(lower)
        if self._numbers:
            yield from self._found_numbers(lower)
        if self._automaton is not None:
            yield from self._found_parts(self._automaton, lower)

    def _found_exact(self, lower: Sequence[str]) -> Iterator[tuple[Predicate, Places]]:
        for place, text in enumerate(lower):
            for predicate in self._exact.get(text, ()):
                yield predicate, np.array([place])

    def _found_numbers(self, lower: Sequence[str]) -> Iterator[tuple[Predicate, Places]]:
        for place, text in enumerate(lower):
            value = number(text)
            if value is not None:
                for predicate in self._numbers.get(value, ()):
                    yield predicate, np.array([place])

    def _found_parts(
        self, automaton: ahocorasick_rs.BytesAhoCorasick, lower: Sequence[str]
    ) -> Iterator[tuple[Predicate, Places]]:
        texts = [text.encode() for text in lower]
        for place, text in enumerate(texts):
            if len(text) > _LONG:
                texts[place] = b""
                for predicate in self._found_long(automaton, text):
                    yield predicate, np.array([place])
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
            for op, predicate in self._parts[self._texts[which[group[0]]]]:
                fits = {"startswith": at_start, "endswith": at_end}.get(op)
                chosen = group if fits is None else group[fits[group]]
                if chosen.size:
                    yield predicate, place[chosen]

    def _found_long(self, automaton: ahocorasick_rs.BytesAhoCorasick, text: bytes) -> set[Predicate]:
        """Return what is true of a long text; what is found once is no longer looked for where finds are dense."""
        left, found, longest = self._texts, set[str](), max(map(len, self._texts)) * 4
        for begin in range(0, len(text), _LONG):
            finds = automaton.find_matches_as_indexes(text[begin : begin + _LONG + longest], overlapping=True)
            found.update(left[which] for which, _, _ in finds)
            if len(finds) > _DENSE:
                left = [needle for needle in left if needle not in found]
                if not left:
                    break
                automaton = _automaton(left)
        ends = {"startswith": text.startswith, "endswith": text.endswith}
        return {
            predicate
            for needle in found
            for op, predicate in self._parts[needle]
            if op not in ends or ends[op](needle.encode())
        }


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
