"""One multi-pattern pass over a column's distinct values.

Aho and Corasick's automaton (1975) finds all plain texts that predicates look for at once; its cost grows with the text
and the finds, not with the number of rules. What is not a plain text is asked value by value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import ahocorasick_rs
import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.sigma import glob, regex
from detectors.sigma.columns import Codes, Column
from detectors.sigma.fold import fold
from detectors.sigma.predicates import Predicate
from detectors.sigma.truth import number

_WINDOW = 1 << 20  # bytes searched at a time
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
        self._longest = max((len(text.encode()) for text in self._texts), default=0)
        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick(
                [text.encode() for text in self._texts],
                matchkind=ahocorasick_rs.MatchKind.Standard,
                implementation=ahocorasick_rs.Implementation.ContiguousNFA,
            )
            if self._texts
            else None
        )

    def find(self, column: Column) -> Iterator[tuple[Predicate, Codes]]:
        """Yield each predicate that is true for some value, with all the values for which it is."""
        if not len(column):
            return
        lower, owners = column.folded()
        found: dict[Predicate, list[Codes]] = defaultdict(list)
        for predicate, numbers in self._found(lower):
            found[predicate].append(numbers)
        for predicate, parts in found.items():
            codes = np.unique(np.concatenate(parts)).astype(np.int32)
            codes = codes if owners is None else np.unique(owners[codes])
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

    def _found(self, lower: pl.Series) -> Iterator[tuple[Predicate, Codes]]:
        if self._exact:
            yield from self._found_exact(lower)
        if self._numbers:
            yield from self._found_numbers(lower)
        if self._automaton is not None:
            yield from self._found_parts(self._automaton, lower)

    def _found_exact(self, lower: pl.Series) -> Iterator[tuple[Predicate, Codes]]:
        for index, text in enumerate(lower.to_list()):
            for predicate in self._exact.get(text, ()):
                yield predicate, np.array([index], np.int32)

    def _found_numbers(self, lower: pl.Series) -> Iterator[tuple[Predicate, Codes]]:
        values = lower.str.strip_chars(" \t").cast(pl.Float64, strict=False)
        candidates = values.is_in(list(self._numbers)).fill_null(value=False).arg_true()
        for index, value in zip(candidates.to_list(), values.gather(candidates).to_list(), strict=True):
            for predicate in self._numbers[value]:
                yield predicate, np.array([index], np.int32)

    def _found_parts(
        self, automaton: ahocorasick_rs.BytesAhoCorasick, lower: pl.Series
    ) -> Iterator[tuple[Predicate, Codes]]:
        haystack = lower.str.join(_BREAK).item().encode()
        lengths = lower.str.len_bytes().to_numpy().astype(np.int64)
        begins = np.cumsum(lengths + 1) - (lengths + 1)
        for which, start, end in self._windows(automaton, haystack):
            value = np.searchsorted(begins, start, side="right") - 1
            at_start, at_end = start == begins[value], end == begins[value] + lengths[value]
            order = np.argsort(which, kind="stable")
            bounds = np.flatnonzero(np.diff(which[order], prepend=-1))
            for group in np.split(order, bounds[1:]):
                values, head, tail = value[group], at_start[group], at_end[group]
                for op, predicate in self._parts[self._texts[which[group[0]]]]:
                    hit = values[head] if op == "startswith" else values[tail] if op == "endswith" else values
                    if hit.size:
                        yield predicate, np.unique(hit).astype(np.int32)

    def _windows(self, automaton: ahocorasick_rs.BytesAhoCorasick, haystack: bytes) -> Iterator[npt.NDArray[np.int64]]:
        """Yield needle, start and end of all finds; in windows, since a hostile text holds a find at every byte."""
        for begin in range(0, len(haystack), _WINDOW):
            found = automaton.find_matches_as_indexes(
                haystack[begin : begin + _WINDOW + self._longest], overlapping=True
            )
            if found:
                finds = np.array(found, dtype=np.int64).T
                finds[1:] += begin
                finds = finds[:, finds[1] < begin + _WINDOW]  # the rest belong to the next window
                if finds.size:
                    yield finds
