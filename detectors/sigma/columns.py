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

from detectors.sigma.logsources import Route
from detectors.sigma.predicates import ABSENCE_OPS, Predicate
from detectors.sigma.truth import holds

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

Chain = tuple[str, ...]  # own columns, the first one present in a row gives the value
KEYWORDS: Final[Chain] = ()  # the text of the whole event

_UNKNOWN = np.int8(-1)
_NONE: Final[Flags] = np.zeros(0, np.bool_)
_SMALL = 2_000  # rows
_MEMORY = 64_000_000  # bytes of answers that one column may keep


class Column:
    """Distinct values of a column and, per row, the number of its value (-1: no value).

    A value is a text, or a list of texts; a predicate holds for a list if it holds for any of its texts.
    """

    def __init__(self, values: pl.Series, rows: Rows, height: int) -> None:
        """Encode values, none of them null, that stand in these rows of a frame of `height` rows."""
        self._many = isinstance(values.dtype, pl.List)
        grouped = _grouped_small if len(values) < _SMALL and not self._many else _grouped
        self.values, places, lengths = grouped(values)
        self._rows: Rows = rows[places]
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self.codes: Codes = np.full(height, -1, np.int32)
        self.codes[self._rows] = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self._learned: dict[Predicate, Codes] = {}
        self._memo: dict[Predicate, npt.NDArray[np.int8]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def texts(self) -> tuple[list[str], Codes | None]:
        """Return the texts of all values and, where values are lists, which value each text belongs to."""
        if not self._many:
            return self.values, None
        owned = [(text, owner) for owner, value in enumerate(self.values) for text in value if text is not None]
        return [text for text, _ in owned], np.array([owner for _, owner in owned], np.int32)

    def rows(self, codes: Codes) -> Rows:
        """Return the rows that have one of these values (each given once): each row once, in no order."""
        parts = [self._rows[self._ends[code - 1] if code else 0 : self._ends[code]] for code in codes.tolist()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

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
        new = codes[known == _UNKNOWN]
        if new.size:
            asked = distinct(new, len(self))
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

    def pick(self, codes: Codes | Rows) -> list[Any]:
        """Return the values of these codes: texts, or lists of texts."""
        return [self.values[code] for code in codes.tolist()]

    def _work_out(self, predicate: Predicate, codes: Rows) -> list[bool]:
        values = self.pick(codes)
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
    if numbers.size == 1:
        return numbers.astype(np.int64)
    there = np.zeros(end, np.bool_)
    there[numbers] = True
    return np.flatnonzero(there)


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


class Table:
    """The columns of one event frame, made when first asked for."""

    def __init__(self, events: pl.DataFrame) -> None:
        self.events = events
        self._there = _there(events)
        self._places = pl.arange(events.height, eager=True)
        self._columns: dict[Chain, Column] = {}
        self._conditions: dict[tuple[str, frozenset[str]], Flags | None] = {}

    def column(self, chain: Chain) -> Column | None:
        """Return the column of the first name in the chain that has a value, row by row; None where none exists."""
        if chain == KEYWORDS:
            return self._columns.get(KEYWORDS)
        present = tuple(name for name in chain if name in self._there)
        if not present:
            return None
        if present not in self._columns:
            self._columns[present] = self._encoded(present)
        return self._columns[present]

    def put_keywords(self, column: Column) -> None:
        """Set the column of the texts of whole events, which isn't one of the frame's."""
        self._columns[KEYWORDS] = column

    def rows(self, route: Route) -> Flags | None:
        """Say which rows take a route; None where none does."""
        taken: Flags = np.ones(self.events.height, np.bool_)
        for name, values in route.where.items():
            there = self._where(name, values)
            if there is None:
                return None
            taken &= there
        return taken if taken.any() else None

    def _where(self, name: str, values: frozenset[str]) -> Flags | None:
        """Say which rows of a column have one of the values; None where none has. Routes share such conditions."""
        if (name, values) not in self._conditions:
            column = self.column((name,))
            asked = Predicate(name, "equals", tuple(sorted(values)))
            holding = column.test(asked, np.arange(-1, len(column), dtype=np.int32)) if column else _NONE
            there = holding[column.codes + 1] if column and holding.any() else None
            self._conditions[name, values] = there
        return self._conditions[name, values]

    def _encoded(self, names: Chain) -> Column:
        wanted = [self.events[name] for name in names]
        made = _as_list if any(isinstance(series.dtype, pl.List) for series in wanted) else _as_text
        if len(wanted) == 1:
            values, there = made(wanted[0]), self._there[names[0]]
        else:
            values = pl.select(pl.coalesce([made(series) for series in wanted])).to_series()
            there = values.is_not_null()
        if there is None:
            return Column(values, self._places.to_numpy(), self.events.height)
        return Column(values.filter(there), self._places.filter(there).to_numpy(), self.events.height)


def _there(events: pl.DataFrame) -> dict[str, pl.Series | None]:
    """Say of each column that has any value where its values are; None: everywhere. Asking one by one takes longer."""
    filled = [column.name for column in events.iter_columns() if column.null_count() < events.height]
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
