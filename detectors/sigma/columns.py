"""An event frame, column by column, as numbers of distinct values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import chain as flatten
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.sigma.predicates import Predicate
from detectors.sigma.vocabulary import Codes, Flags, Marks, Vocabulary

Rows = npt.NDArray[np.int64]

Chain = tuple[str, ...]  # own columns, the first one present in a row gives the value
KEYWORDS: Final[Chain] = ()  # the text of the whole event

_SMALL = 2_000  # rows
_MEMORY = 64_000_000  # bytes that the vocabularies of a memory may hold from one frame to the next


class Column:
    """Per row the number of its value (-1: no value), and the rows of each value."""

    def __init__(self, values: pl.Series, rows: Rows, height: int, vocabulary: Vocabulary) -> None:
        """Encode values, none of them null, that stand in these rows of a frame of `height` rows."""
        small = len(values) < _SMALL and not isinstance(values.dtype, pl.List)
        distinct, places, lengths = _grouped_small(values) if small else _grouped(values)
        self.vocabulary = vocabulary
        self.present = vocabulary.numbers(distinct)  # the numbers of this frame's values
        self._rows: Rows = rows[places]
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self.codes: Codes = np.full(height, -1, np.int32)
        self.codes[self._rows] = np.repeat(np.array(self.present, np.int32), lengths)

    def found(self, marks: Marks) -> dict[int, Rows]:
        """Return the rows of each predicate with which a value of this frame is marked: each row once, in no order."""
        groups: dict[int, list[int]] = defaultdict(list)
        for group, code in enumerate(self.present):
            for at in marks[code]:
                groups[at].append(group)
        return {at: self._rows_of(found) for at, found in groups.items()}

    def test(self, predicate: Predicate, rows: Rows) -> Flags:
        """Say for each of the rows whether the predicate holds."""
        return self.vocabulary.test(predicate, self.codes[rows])

    def pick(self, rows: Rows) -> list[Any]:
        """Return the values of these rows: texts, lists of texts, or None."""
        values = self.vocabulary.values
        return [values[code] if code >= 0 else None for code in self.codes[rows].tolist()]

    def _rows_of(self, groups: list[int]) -> Rows:
        parts = [self._rows[self._ends[group - 1] if group else 0 : self._ends[group]] for group in groups]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _grouped(series: pl.Series) -> tuple[list[Any], Rows, Rows]:
    """Return the distinct values, the places of each one after the other, and how many places each has."""
    places = series.alias("value").to_frame().with_row_index("place")
    groups = places.group_by("value", maintain_order=True).agg("place", pl.len().alias("length"))
    flat = groups["place"].explode(empty_as_null=False)
    return groups["value"].to_list(), flat.to_numpy().astype(np.int64), groups["length"].to_numpy().astype(np.int64)


def _grouped_small(series: pl.Series) -> tuple[list[Any], Rows, Rows]:
    """Return the same of a short column, where starting a query costs more than the work."""
    found: dict[str, list[int]] = {}
    for place, value in enumerate(series.to_list()):
        found.setdefault(value, []).append(place)
    places = np.fromiter(flatten.from_iterable(found.values()), np.int64)
    return list(found), places, np.fromiter(map(len, found.values()), np.int64, len(found))


class Memory:
    """The vocabularies of a source's columns, from one frame to the next."""

    def __init__(self) -> None:
        self._known: dict[tuple[Chain, bool], Vocabulary] = {}

    def vocabulary(self, names: Chain, *, many: bool) -> Vocabulary:
        """Return what is known of these columns' values."""
        if (names, many) not in self._known:
            self._known[names, many] = Vocabulary(many=many)
        return self._known[names, many]

    def trim(self) -> None:
        """Give up the largest vocabularies, as wholes, until the others are small enough."""
        sizes = {key: vocabulary.size for key, vocabulary in self._known.items()}
        left = sum(sizes.values())
        for key in sorted(sizes, key=lambda key: -sizes[key]):
            if left <= _MEMORY:
                break
            left -= sizes[key]
            del self._known[key]


class Table:
    """The columns of one event frame that rules look at, made when first asked for."""

    def __init__(self, events: pl.DataFrame, names: Collection[str], memory: Memory) -> None:
        """Look at these columns; what is known of their values comes from the memory and goes there."""
        self.events = events
        self._memory = memory
        self._there = _there(events, names)
        self._places = pl.arange(events.height, eager=True)
        self._columns: dict[Chain, Column] = {}

    def column(self, chain: Chain) -> Column | None:
        """Return the column of the first name in the chain that has a value, row by row; None where none has any."""
        if chain == KEYWORDS:
            return self._columns.get(KEYWORDS)
        present = tuple(name for name in chain if name in self._there)
        if not present:
            return None
        if present not in self._columns:
            self._columns[present] = self._encoded(present)
        return self._columns[present]

    def put_keywords(self, texts: pl.Series, rows: Rows) -> None:
        """Set the column of the texts of whole events, which these rows have; hardly any comes twice."""
        self._columns[KEYWORDS] = Column(texts, rows, self.events.height, Vocabulary())

    def _encoded(self, names: Chain) -> Column:
        wanted = [self.events[name] for name in names]
        many = any(isinstance(series.dtype, pl.List) for series in wanted)
        texts = [_as_list(series) if many else _as_text(series) for series in wanted]
        if len(texts) == 1:
            values, there = texts[0], self._there[names[0]]
        else:
            values = pl.select(pl.coalesce(texts)).to_series()
            there = values.is_not_null()
        vocabulary = self._memory.vocabulary(names, many=many)
        if there is None:
            return Column(values, self._places.to_numpy(), self.events.height, vocabulary)
        return Column(values.filter(there), self._places.filter(there).to_numpy(), self.events.height, vocabulary)


def _there(events: pl.DataFrame, names: Collection[str]) -> dict[str, pl.Series | None]:
    """Say of each column that has any value where its values are; None: everywhere. Asking one by one takes longer."""
    filled = [name for name in events.columns if name in names and events[name].null_count() < events.height]
    partly = events.select([name for name in filled if events[name].null_count()]).select(pl.all().is_not_null())
    return {name: partly[name] if name in partly.columns else None for name in filled}


def _as_text(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime | pl.Date):
        return series.dt.to_string("iso")
    return series.cast(pl.String)


def _as_list(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        return series.cast(pl.List(pl.String))
    text = _as_text(series).alias("text").to_frame()
    return text.select(pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))).to_series()
