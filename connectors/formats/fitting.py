"""What formats of text lines share: the first of some patterns that a line fits, and the frame a format returns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

import polars as pl

from connectors.formats.frames import ERROR, nulls
from connectors.patterns.fit import NONE, fit, named

Parts = Mapping[str, str | tuple[str, ...]]


def first_fit(lines: pl.Series, patterns: Sequence[str], wanted: Collection[str] | None = None) -> pl.DataFrame:
    """Return the named groups of the first pattern that a line fits, null where it fits none or none is wanted."""
    return _whole(fit(lines, patterns, wanted).columns, patterns, wanted)


def _whole(columns: pl.DataFrame, patterns: Sequence[str], wanted: Collection[str] | None) -> pl.DataFrame:
    """Add the groups that are not wanted."""
    if wanted is None:
        return columns
    return columns.with_columns(nulls(name, columns.height) for name in named(patterns) if name not in wanted)


def groups(text: pl.Series, pattern: str) -> pl.DataFrame:
    """Return a column per named group of a pattern."""
    return fit(text, (pattern,)).columns


def parts(frame: pl.DataFrame, patterns: Parts, wanted: Collection[str] | None) -> pl.DataFrame:
    """Add a column per name that is wanted: the group that its pattern, or the first of several, finds in `message`."""
    found = [
        pl.coalesce(pl.col("message").str.extract(each) for each in _each(of_one)).alias(name)
        for name, of_one in patterns.items()
        if wanted is None or name in wanted
    ]
    return frame.with_columns(found)


def _each(patterns: str | tuple[str, ...]) -> tuple[str, ...]:
    return patterns if isinstance(patterns, tuple) else (patterns,)


def finished(frame: pl.DataFrame, wanted: Iterable[str] | None, key: str, reason: str) -> pl.DataFrame:
    """Return the wanted columns, or all, and `error.message`: the reason where a line has no value in column `key`."""
    failed = pl.col(key).is_null()
    names = list(frame.columns) if wanted is None else sorted(wanted)
    columns = [
        pl.when(~failed).then(pl.col(name)) if name in frame.columns else pl.lit(None, pl.String) for name in names
    ]
    named = [column.alias(name) for column, name in zip(columns, names, strict=True)]
    return frame.select(*named, pl.when(failed).then(pl.lit(reason)).alias(ERROR))


class Fitted:
    """A format whose lines fit patterns: the groups of the first that a line fits are its columns.

    `within` are patterns of further columns that stand in the column `message`; a line is of the format when it has a
    value in column `key`, and otherwise fails for the `reason`. `needs` names what the columns that are `made` are made
    of.
    """

    __slots__ = ()
    structured: ClassVar[bool] = False
    patterns: ClassVar[Sequence[str]]
    within: ClassVar[Parts] = {}
    needs: ClassVar[Mapping[str, Sequence[str]]] = {}
    key: ClassVar[str]
    reason: ClassVar[str]

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        asked = self._asked(wanted)
        found = fit(original, self.patterns, asked)
        if wanted is not None and (found.which == NONE).all():  # so it is of most formats that are tried on a log
            return pl.DataFrame([*(nulls(name, original.len()) for name in sorted(wanted)), self._refused(original)])
        frame = self.made(_whole(found.columns, self.patterns, asked))
        return finished(parts(frame, self.within, wanted), wanted, self.key, self.reason)

    def _refused(self, original: pl.Series) -> pl.Series:
        return pl.Series(ERROR, [self.reason], pl.String).new_from_index(0, original.len())

    def _asked(self, wanted: frozenset[str] | None) -> frozenset[str] | None:
        """Return the groups that the wanted columns are made of."""
        if wanted is None:
            return None
        inner = {"message"} if self.within.keys() & wanted else set()
        asked = wanted | inner | {self.key}
        return asked.union(*(self.needs.get(name, ()) for name in asked))

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        return frame
