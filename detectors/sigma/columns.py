"""An event frame, column by column, as distinct values and codes.

Logs repeat themselves: what a predicate says is worked out once per distinct value, and only for values that are asked.
"""

from __future__ import annotations

from itertools import accumulate
from itertools import chain as flatten
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.sigma.fold import fold_series
from detectors.sigma.logsources import Route
from detectors.sigma.predicates import ABSENCE_OPS, Predicate
from detectors.sigma.truth import holds

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

Chain = tuple[str, ...]  # own columns, the first one present in a row gives the value
KEYWORDS: Final[Chain] = ()  # the text of the whole event

_UNKNOWN = np.int8(-1)
_SMALL = 4_000  # rows
_MEMORY = 64_000_000  # bytes of answers that one column may keep


class Column:
    """Distinct values of a column and, per row, the number of its value (-1: no value).

    A value is a text, or a list of texts; a predicate holds for a list if it holds for any of its texts.
    """

    def __init__(self, series: pl.Series) -> None:
        self._many = isinstance(series.dtype, pl.List)
        if series.null_count() == len(series):  # most columns of most batches
            self.values, self._rows, lengths = series.head(0), np.empty(0, np.int64), np.empty(0, np.int64)
        elif len(series) < _SMALL and not self._many:
            self.values, self._rows, lengths = _grouped_small(series)
        else:
            self.values, self._rows, lengths = _grouped(series)
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self.codes: Codes = np.full(len(series), -1, np.int32)
        self.codes[self._rows] = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self._learned: dict[Predicate, Codes] = {}
        self._memo: dict[Predicate, npt.NDArray[np.int8]] = {}
        self._list: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def texts(self) -> tuple[pl.Series, Codes | None]:
        """Return the texts of all values and, where values are lists, which value each text belongs to."""
        if not self._many:
            return self.values, None
        owners = np.repeat(np.arange(len(self), dtype=np.int32), self.values.list.len().to_numpy())
        texts = self.values.explode(empty_as_null=False)
        there = texts.is_not_null()
        return texts.filter(there), owners[there.to_numpy()]

    def rows(self, codes: Codes) -> Rows:
        """Return the rows that have one of these values, in no order."""
        parts = [self._rows[self._ends[code - 1] if code else 0 : self._ends[code]] for code in codes]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def folded(self) -> tuple[pl.Series, Codes | None]:
        """Return what `texts` returns, the texts without their case."""
        texts, owners = self.texts()
        return fold_series(texts), owners

    def learn(self, predicate: Predicate, codes: Codes) -> None:
        """Note that exactly these values (in order, each once) satisfy the predicate."""
        self._learned[predicate] = codes

    def test(self, predicate: Predicate, codes: Codes) -> Flags:
        """Say for each code (-1 too) whether the predicate holds."""
        learned = self._learned.get(predicate)
        if learned is not None:
            place = np.searchsorted(learned, codes)
            there: Flags = learned.take(place, mode="clip") == codes
            return there & (place < learned.size)
        memo = self._memory(predicate)
        known = memo[codes]
        asked = np.unique(codes[known == _UNKNOWN])
        if asked.size:
            memo[asked] = self._work_out(predicate, asked)
            known = memo[codes]
        return known.astype(np.bool_)

    def _memory(self, predicate: Predicate) -> npt.NDArray[np.int8]:
        """Return what is known of each value; all is forgotten where it would take too much memory."""
        memo = self._memo.get(predicate)
        if memo is None:
            if len(self._memo) * len(self) > _MEMORY:
                self._memo.clear()
            memo = np.full(len(self) + 1, _UNKNOWN, np.int8)
            memo[-1] = predicate.op in ABSENCE_OPS  # the code -1 finds it there
            self._memo[predicate] = memo
        return memo

    def pick(self, codes: Codes) -> list[Any]:
        """Return the values of these codes: texts, or lists of texts."""
        if self._list is None:
            self._list = self.values.to_list()
        return [self._list[code] for code in codes.tolist()]

    def _work_out(self, predicate: Predicate, codes: Codes) -> list[bool]:
        values = self.pick(codes)
        if not self._many:
            return holds(predicate, values)
        if predicate.op in ("present", "exists", *ABSENCE_OPS):
            return [predicate.op not in ABSENCE_OPS] * len(values)
        lists = [[text for text in value if text is not None] for value in values]
        answers = holds(predicate, list(flatten.from_iterable(lists)))
        ends = list(accumulate(map(len, lists)))
        return [any(answers[end - len(texts) : end]) for texts, end in zip(lists, ends, strict=True)]


def _grouped(series: pl.Series) -> tuple[pl.Series, Rows, Rows]:
    """Return the distinct values, the rows of each one after the other, and how many rows each has."""
    there = series.alias("value").to_frame().with_row_index("row").drop_nulls("value")
    groups = there.group_by("value").agg("row")
    rows = groups["row"].explode(empty_as_null=False).cast(pl.Int64).to_numpy()
    return groups["value"], rows, groups["row"].list.len().cast(pl.Int64).to_numpy()


def _grouped_small(series: pl.Series) -> tuple[pl.Series, Rows, Rows]:
    """Return the same of a short column, where starting a query costs more than the work."""
    found: dict[str, list[int]] = {}
    for row, value in enumerate(series.to_list()):
        if value is not None:
            found.setdefault(value, []).append(row)
    rows = np.fromiter(flatten.from_iterable(found.values()), np.int64)
    return pl.Series(list(found), dtype=pl.String), rows, np.fromiter(map(len, found.values()), np.int64)


class Table:
    """The columns of one event frame, made when first asked for."""

    def __init__(self, events: pl.DataFrame) -> None:
        self.events = events
        self._present = frozenset(events.columns)
        self._columns: dict[Chain, Column] = {}

    def column(self, chain: Chain) -> Column | None:
        """Return the column of the first name in the chain that has a value, row by row; None where none exists."""
        if chain == KEYWORDS:
            return self._columns.get(KEYWORDS)
        present = tuple(name for name in chain if name in self._present)
        if not present:
            return None
        if present not in self._columns:
            self._columns[present] = Column(self._series(present))
        return self._columns[present]

    def put_keywords(self, column: Column) -> None:
        """Set the column of the texts of whole events, which isn't one of the frame's."""
        self._columns[KEYWORDS] = column

    def rows(self, route: Route) -> Flags | None:
        """Say which rows take a route; None where none does."""
        taken: Flags = np.ones(self.events.height, np.bool_)
        for name, values in route.where.items():
            column = self.column((name,))
            if column is None:
                return None
            taken &= column.test(Predicate(name, "equals", tuple(sorted(values))), column.codes)
        return taken if taken.any() else None

    def _series(self, names: Chain) -> pl.Series:
        wanted = [self.events[name] for name in names]
        if any(isinstance(series.dtype, pl.List) for series in wanted):
            return _first([_as_list(series) for series in wanted])
        return _first([_as_text(series) for series in wanted])


def _first(choices: list[pl.Series]) -> pl.Series:
    return choices[0] if len(choices) == 1 else pl.select(pl.coalesce(choices)).to_series()


def _as_text(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime | pl.Date):
        return series.dt.to_string("iso")
    return series.cast(pl.String)


def _as_list(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        return series.cast(pl.List(pl.String))
    text = _as_text(series).alias("text").to_frame()
    return text.select(pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))).to_series()
