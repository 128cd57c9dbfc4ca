"""The columns of scanned records: numbers of distinct texts, and the texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from connectors.formats import clock, distinct, exact, scanner
from connectors.formats.distinct import Cells
from connectors.formats.exact import Text
from connectors.formats.frames import ERROR, listed, nulls
from connectors.formats.hashing import NOWHERE, Ints, Records
from connectors.formats.literals import REAL, TEXT, WHOLE
from connectors.formats.scanner import ODD
from connectors.formats.trees import Map
from connectors.native import Bytes, Places
from connectors.once import DEPTH
from detectors.contracts import Encoded

ROOM: Final = 1 << 14  # values that there is room for at first


def scanned(data: memoryview, starts: Places, ends: Places, known: Map) -> Cells:
    """Scan lines that stand in the data at these places."""
    array = np.frombuffer(data, np.uint8)
    cells, around, row = _empty(known, starts.size), np.zeros(DEPTH + 1, scanner.CONTAINER), 0
    while (row := scanner.scan(array, starts, ends, row, known.tree, cells, around)) < starts.size:
        cells = _grown(cells, known.count)
    return cells


def _empty(known: Map, rows: int) -> Cells:
    room = ROOM + known.count
    return Cells(
        codes=_sparse(known.count, rows),
        filled=np.zeros(known.count, np.uint8),
        status=np.zeros(rows, np.uint8),
        values=np.empty(room, distinct.VALUE),
        table=_table(room),
        total=np.zeros(1, np.int64),
        seen=np.full(known.tree.nodes.size, NOWHERE, np.int64),
    )


def _sparse(slots: int, rows: int) -> Ints:
    """Return room for the codes of all slots, of which most stay empty and take no memory.

    NumPy would ask for large pages: one slot that is filled would have the system clear thirty.
    """
    room = mmap(-1, max(4 * slots * rows, 1), flags=MAP_PRIVATE | MAP_ANONYMOUS)
    return np.frombuffer(room, np.int32, slots * rows).reshape(slots, rows)


def _table(room: int) -> Ints:
    return np.full(1 << (2 * room).bit_length(), NOWHERE, np.int32)


def _grown(cells: Cells, slots: int) -> Cells:
    """Return the same with room for twice as many values."""
    room = 2 * cells.values.size + slots
    grown = cells._replace(table=_table(room), values=np.resize(cells.values, room))
    distinct.rehash(grown)
    return grown


class Spelled:
    """The texts of values, and others beside them; one is made when it is first asked for."""

    def __init__(self, data: memoryview, values: Records) -> None:
        self._data, self._values = data, values
        self._texts: list[Text] = [None] * values.size
        self._known = np.zeros(values.size, np.bool_)
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, numbers: Sequence[int]) -> list[Any]:
        """Return the texts with these numbers (what was an array is a list of texts)."""
        asked = np.array(numbers, np.int64)
        inside = asked[asked < self._known.size]
        self._spell(inside[~self._known[inside]])
        texts = self._texts
        return [texts[number] for number in numbers]

    def add(self, texts: Sequence[Text]) -> list[int]:
        """Return the numbers of more texts."""
        return [self._added(text) for text in texts]

    def arrays(self, codes: Ints) -> bool:
        """Say whether some of these numbers are those of arrays."""
        doubted = self._doubted
        if not doubted.size:
            return False
        met = doubted[np.isin(doubted, codes)] if self._told[codes].any() else doubted[:0]
        return any(isinstance(text, list) for text in self.take(met.tolist()))

    @cached_property
    def _doubted(self) -> Places:
        """Return the numbers of what may be an array; nothing is added any more."""
        added = range(self._values.size, len(self))
        lists = [number for number in added if isinstance(self._texts[number], list)]
        return np.concatenate([np.flatnonzero(self._values["kind"] == WHOLE), np.array(lists, np.int64)])

    @cached_property
    def _told(self) -> npt.NDArray[np.bool_]:
        """Say of each number whether it is doubted, and that of no value is not."""
        told = np.zeros(len(self) + 1, np.bool_)
        told[self._doubted] = True
        return told

    def times(self, codes: Ints) -> pl.Series | None:
        """Return the instants that texts spell, null where there is no text; None if any isn't in the usual form."""
        if codes.max(initial=NOWHERE) >= self._values.size:
            return None
        found = np.empty(codes.size, np.int64)
        if not clock.instants(np.frombuffer(self._data, np.uint8), self._values, codes, found):
            return None
        times = pl.Series(found).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        none = np.flatnonzero(codes < 0)
        return times.scatter(none, None) if none.size else times

    def _added(self, text: Text) -> int:
        if isinstance(text, list):
            self._texts.append(text)
            return len(self._texts) - 1
        if text not in self._numbers:
            self._numbers[str(text)] = len(self._texts)
            self._texts.append(text)
        return self._numbers[str(text)]

    def _spell(self, numbers: Places) -> None:
        """Read some values."""
        self._known[numbers] = True
        values = self._values[numbers]
        starts, kinds = values["at"], values["kind"]
        ends = starts + values["size"]
        data, texts = self._data, self._texts
        parts = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        real = [*compress(parts, kinds == REAL)]
        read = {TEXT: (str(part, "utf-8") for part in compress(parts, kinds == TEXT)), REAL: iter(_reals(real))}
        whole = iter(map(_exactly, compress(parts, kinds == WHOLE)))
        for number, kind in zip(numbers.tolist(), kinds.tolist(), strict=True):
            texts[number] = next(read.get(kind, whole))


class Scanned:
    """Columns of records that are read in two ways: most were scanned, the odd ones are put in afterwards."""

    def __init__(self, data: memoryview, cells: Cells, known: Map) -> None:
        self.odd: Places = np.flatnonzero(cells.status & ODD)
        self._texts = Spelled(data, cells.values[: int(cells.total[0])])
        self._codes = dict(_combined(cells, known))
        self._errors = nulls(ERROR, cells.status.size)

    def put(self, columns: Mapping[str, tuple[Sequence[Text], Sequence[int]]], errors: pl.Series) -> None:
        """Set the odd rows: per column texts and where these stand among them; and what is wrong with each odd row."""
        height = self._errors.len()
        for name in {*self._codes, *columns}:
            codes = self._codes[name].copy() if name in self._codes else np.full(height, NOWHERE, np.int32)
            codes[self.odd] = NOWHERE
            texts, places = columns.get(name, ((), ()))
            codes[self.odd[[*places]]] = self._texts.add(texts)
            self._codes[name] = codes
        self._errors = self._errors.scatter(self.odd, errors)

    def frame(self, names: Collection[str]) -> pl.DataFrame:
        """Return these columns, one that no record has being all null, and `error.message`."""
        absent = nulls("", self._errors.len())
        columns = {name: self._column(name) if name in self._codes else absent for name in names if name != ERROR}
        return pl.DataFrame([*(column.alias(name) for name, column in columns.items()), self._errors])

    def names(self) -> Collection[str]:
        """Name the columns that any record has."""
        return self._codes.keys()

    def times(self, name: str) -> pl.Series | None:
        """Return a column as instants, if all of it is in the usual form."""
        if name not in self._codes:
            return None
        return self._texts.times(self._codes[name])

    def encoded(self, names: Collection[str]) -> dict[str, Encoded]:
        """Return those of the columns that hold no lists."""
        there = [name for name in names if name in self._codes and not self._texts.arrays(self._codes[name])]
        return {name: Encoded(self._texts, self._codes[name]) for name in there}

    def _column(self, name: str) -> pl.Series:
        codes = self._codes[name]
        if not self._texts.arrays(codes):
            return Encoded(self._texts, codes).series(name)
        places = np.flatnonzero(codes >= 0)
        cells: list[list[str | None] | None] = [None] * codes.size
        for place, text in zip(places.tolist(), self._texts.take(codes[places].tolist()), strict=True):
            cells[place] = text if isinstance(text, list) else [text]
        return listed(cells)


def _reals(parts: Sequence[memoryview]) -> list[Text]:
    """Read numbers, and texts with escapes."""
    try:
        values = orjson.loads(b"[" + b",".join(parts) + b"]")
    except orjson.JSONDecodeError:  # half a surrogate pair, a number beyond all bounds
        return [_exactly(part) for part in parts]
    return [value if type(value) is str else exact.text(value) for value in values]


def _exactly(part: memoryview) -> Text:
    return exact.text(exact.DECODER.decode(str(part, "utf-8")))


def _combined(cells: Cells, known: Map) -> Iterator[tuple[str, Ints]]:
    """Yield the columns that any record has: the first of its places that has a value, by the record's shape."""
    shapes = _shapes(cells.status, len(known.slots))
    met = [shape for shape in range(len(known.slots)) if (shapes == shape).any()]
    for name in dict.fromkeys(name for shape in met for name in known.slots[shape]):
        found = {
            shape: codes for shape in met if (codes := _first(cells, known.slots[shape].get(name, ()))) is not None
        }
        if len(met) == 1 and found:
            yield name, found[met[0]]
        elif found:
            whole = np.full(cells.status.size, NOWHERE, np.int32)
            for shape, codes in found.items():
                whole = np.where(shapes == shape, codes, whole)
            yield name, whole


def _shapes(status: Bytes, count: int) -> npt.NDArray[np.int8]:
    """Return the number of each record's shape."""
    shapes = np.full(status.size, count - 1, np.int8)
    for shape in range(count - 2, -1, -1):
        shapes[(status & (2 << shape)) != 0] = shape
    return shapes


def _first(cells: Cells, slots: Sequence[int]) -> Ints | None:
    """Return the values of the first slot that has one, row by row; None where none has any."""
    filled = [cells.codes[slot] for slot in slots if cells.filled[slot]]
    if not filled:
        return None
    codes: Ints = filled[0]
    for others in filled[1:]:
        codes = np.where(codes < 0, others, codes)
    return codes
