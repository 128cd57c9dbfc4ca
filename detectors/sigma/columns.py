"""An event frame, column by column, as numbers of distinct values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.contracts import Encoded
from detectors.sigma.needles import Needles
from detectors.sigma.predicates import Predicate
from detectors.sigma.vocabulary import Codes, Flags, Vocabulary, distinct

Rows = npt.NDArray[np.int64]

Chain = tuple[str, ...]  # own columns, the first one present in a row gives the value
KEYWORDS: Final[Chain] = ()  # the text of the whole event

NONE: Final[Mapping[str, Encoded]] = MappingProxyType({})

_UNKNOWN = -2  # the number of a value that wasn't looked up yet
_SMALL = 2_000  # rows
_MEMORY = 64_000_000  # bytes that the vocabularies of a memory may hold from one frame to the next


class Listed:
    """Texts, or lists of texts, that are there already."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def take(self, numbers: Sequence[int]) -> list[Any]:
        """Return the values with these numbers."""
        return [self._values[number] for number in numbers]


class Column:
    """Per row the number that its value has in a vocabulary (-1: no value), worked out for rows when they are asked."""

    def __init__(self, encoded: Encoded, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._local, self._texts = encoded.codes, encoded.texts
        self._numbers: Codes = np.full(len(encoded.texts) + 1, _UNKNOWN, np.int32)
        self._numbers[-1] = -1  # where the local number -1 finds it

    def codes(self, rows: Rows) -> Codes:
        """Return the numbers of the values of these rows."""
        local = self._local.take(rows)
        codes = self._numbers.take(local)
        unknown = codes == _UNKNOWN
        if np.count_nonzero(unknown):
            new = distinct(local[unknown], self._numbers.size)
            self._numbers[new] = self.vocabulary.numbers(self._texts.take(new.tolist()))
            codes = self._numbers.take(local)
        return codes

    def found(self, needles: Needles, rows: Rows) -> dict[int, Rows]:
        """Return, of these rows, those whose value each of the needles' predicates is true of."""
        codes = self.codes(rows)
        marks = self.vocabulary.marks(needles)
        marked = marks.any.take(codes).nonzero()[0]
        if not marked.size:
            return {}
        marked = marked[np.argsort(codes[marked], kind="stable")]
        codes, rows = codes[marked], rows[marked]
        begins = [0, *((codes[1:] != codes[:-1]).nonzero()[0] + 1).tolist()]
        groups: dict[int, list[Rows]] = defaultdict(list)
        for code, begin, end in zip(codes[begins].tolist(), begins, [*begins[1:], rows.size], strict=True):
            for at in marks.of[code]:
                groups[at].append(rows[begin:end])
        return {at: parts[0] if len(parts) == 1 else np.concatenate(parts) for at, parts in groups.items()}

    def test(self, predicate: Predicate, rows: Rows) -> Flags:
        """Say for each of the rows whether the predicate holds."""
        return self.vocabulary.test(predicate, self.codes(rows))

    def pick(self, rows: Rows) -> list[Any]:
        """Return the values of these rows: texts, lists of texts, or None."""
        values = self.vocabulary.values
        return [values[code] if code >= 0 else None for code in self.codes(rows).tolist()]


def _numbered(series: pl.Series) -> Encoded:
    """Number the values of a column that has texts or lists of texts."""
    if len(series) < _SMALL and not isinstance(series.dtype, pl.List):
        return _numbered_small(series)
    rows = series.alias("value").to_frame().with_row_index("row").drop_nulls()
    groups = rows.group_by("value", maintain_order=True).agg("row", pl.len().alias("length"))
    codes = np.full(len(series), -1, np.int32)
    numbers = np.repeat(np.arange(groups.height, dtype=np.int32), groups["length"].to_numpy())
    codes[groups["row"].explode(empty_as_null=False).to_numpy()] = numbers
    return Encoded(Listed(groups["value"].to_list()), codes)


def _numbered_small(series: pl.Series) -> Encoded:
    """Do the same with a short column, where starting a query costs more than the work."""
    numbers: dict[str | None, int] = {None: -1}
    codes = [numbers.setdefault(value, len(numbers) - 1) for value in series.to_list()]
    del numbers[None]
    return Encoded(Listed([*numbers]), np.array(codes, np.int32))


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

    def __init__(
        self, events: pl.DataFrame, names: Collection[str], memory: Memory, encoded: Mapping[str, Encoded] = NONE
    ) -> None:
        """Look at these columns; what is known of their values comes from the memory and goes there."""
        self.events = events
        self._memory, self._encoded = memory, encoded
        self._there = encoded.keys() & names | {
            name for name in events.columns if name in names and events[name].null_count() < events.height
        }
        self._columns: dict[Chain, Column] = {}

    def column(self, chain: Chain) -> Column | None:
        """Return the column of the first name in the chain that has a value, row by row; None where none has any."""
        if chain == KEYWORDS:
            return self._columns.get(KEYWORDS)
        present = tuple(name for name in chain if name in self._there)
        if not present:
            return None
        if present not in self._columns:
            self._columns[present] = self._made(present)
        return self._columns[present]

    def put_keywords(self, texts: pl.Series, rows: Rows) -> None:
        """Set the column of the texts of whole events, which these rows have; hardly any comes twice."""
        codes = np.full(self.events.height, -1, np.int32)
        codes[rows] = np.arange(rows.size)
        self._columns[KEYWORDS] = Column(Encoded(Listed(texts.to_list()), codes), Vocabulary())

    def _made(self, names: Chain) -> Column:
        encoded = self._joined(names)
        if encoded is not None:
            return Column(encoded, self._memory.vocabulary(names, many=False))
        wanted = [self._series(name) for name in names]
        many = any(isinstance(series.dtype, pl.List) for series in wanted)
        texts = [_as_list(series) if many else _as_text(series) for series in wanted]
        values = texts[0] if len(texts) == 1 else pl.select(pl.coalesce(texts)).to_series()
        return Column(_numbered(values), self._memory.vocabulary(names, many=many))

    def _joined(self, names: Chain) -> Encoded | None:
        """Return columns that are numbered alike as one; None where they aren't."""
        columns = [self._encoded[name] for name in names if name in self._encoded]
        if len(columns) < len(names) or any(column.texts is not columns[0].texts for column in columns):
            return None
        codes = columns[0].codes
        for column in columns[1:]:
            codes = np.where(codes < 0, column.codes, codes)
        return Encoded(columns[0].texts, codes)

    def _series(self, name: str) -> pl.Series:
        return self._encoded[name].series(name) if name in self._encoded else self.events[name]


def _as_text(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime | pl.Date):
        return series.dt.to_string("iso")
    return series.cast(pl.String)


def _as_list(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        return series.cast(pl.List(pl.String))
    text = _as_text(series).alias("text").to_frame()
    return text.select(pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))).to_series()
