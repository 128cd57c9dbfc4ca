"""Lines of a source with tokens where its definition marks personal data: for collectors, before Kafka, and for runs.

Only the marked columns are read; then each value is replaced where it stands in its line, as the line writes it. A line
in which a value can't be found (an encoding nobody thought of) doesn't go through in the clear: it becomes one token
as a whole, which the vault knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, quote_plus

import polars as pl

from connectors.definition import Definition
from connectors.envelope import text
from connectors.extraction import LINE, filled
from connectors.formats.frames import ERROR
from connectors.privacy.keys import Keys
from connectors.privacy.tokens import TOKEN, tokens
from connectors.wrappers import unwrapped
from detectors.contracts import Batch

SHAPES: Final = re.compile(
    r"(?<![0-9A-Za-z_])(?:\+?\d{9,15}|[A-Z]{2}\d{13}|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+)(?![0-9A-Za-z_])"
)
REMEMBERED: Final = 1_000_000  # tokens that were kept and need not be again
Keep = Callable[[Mapping[str, str]], object]  # token → value
SHORT: Final = 6  # characters; a shorter value is replaced only beside its column's name, if it stands there
BETWEEN: Final = " \t\"':=[(\\"  # what may stand between a name and its value
ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")
QUOTES: Final = re.compile(r'\\.|(")', re.DOTALL)


@dataclass(slots=True)
class Protector:
    """Makes tokens. `keep` gets each token with its value, for the vault, before anybody gets the line."""

    keys: Keys
    keep: Keep
    _kept: set[str] = field(default_factory=set)

    def lines(self, lines: Sequence[str] | pl.Series, definition: Definition) -> pl.Series:
        """Return the lines (String) with tokens; those of a source without personal columns as they are.

        When this returns, what the tokens stand for is kept. In a line that the source's format can't read, whatever
        has the shape of a personal number or an e-mail address becomes a token.
        """
        texts = pl.Series("event.original", lines, dtype=pl.String)
        if not definition.personal or texts.is_empty():
            return texts
        values, unread = _values(texts, definition)
        known = tokens({value for row in values for _, value in row}, self.keys.now)
        json_ = definition.reader.structured
        made = [
            self._line(line, row, known, json_=json_) if row else self.shaped(line) if bad else line
            for line, row, bad in zip(texts, values, unread, strict=True)
        ]
        self._remember({name: value for value, name in known.items() if name != value})
        return pl.Series("event.original", made, dtype=pl.String)

    def shaped(self, line: str) -> str:
        """Return a line with tokens for whatever has the shape of personal data."""
        found = tokens(set(SHAPES.findall(line)), self.keys.now)
        self._remember({name: value for value, name in found.items()})
        return SHAPES.sub(lambda match: found[match[0]], line)

    def batch(self, batch: Batch, definition: Definition) -> Batch:
        """Return a batch with tokens in its records."""
        if not definition.personal:
            return batch
        originals = self.lines(batch.records["event.original"], definition)
        return replace(batch, records=batch.records.with_columns(originals), text=None)

    def letters(self, dead: pl.DataFrame, definitions: Mapping[str, Definition]) -> pl.DataFrame:
        """Return dead letters (DEAD) with tokens where their source has personal columns."""
        marked = [name for name, each in definitions.items() if each.personal]
        if not dead["soc.source"].is_in(marked).any():
            return dead
        rows = zip(dead["event.original"], dead["soc.source"], strict=True)
        return dead.with_columns(
            pl.Series("event.original", [self.shaped(line) if name in marked else line for line, name in rows])
        )

    def _line(self, line: str, values: list[tuple[str, str]], known: Mapping[str, str], *, json_: bool) -> str:
        result = line
        for name, value in sorted(set(values), key=lambda each: (-len(each[1]), each)):  # long ones hold short ones
            if TOKEN.fullmatch(value):
                continue
            replaced = substituted(result, value, known[value], name, structured=json_)
            if replaced is None and known[value] not in result:
                whole = tokens([line], self.keys.now)[line]
                self._remember({whole: line})
                return whole
            result = replaced or result
        return result

    def _remember(self, found: Mapping[str, str]) -> None:
        new = {name: value for name, value in found.items() if name not in self._kept and name != value}
        if new:
            self.keep(new)
            if len(self._kept) > REMEMBERED:
                self._kept.clear()
            self._kept.update(new)


def substituted(line: str, value: str, made: str, name: str = "", *, structured: bool) -> str | None:
    """Return a line with another text wherever a value stands, however it is written there; None where it doesn't.

    `name` is that of its column, beside which a short value stands; `structured` says that the line is JSON.
    """
    ways = (_replaced(line, form, made, name, json_=structured) for form in _forms(value, json_=structured))
    return next((each for each in ways if each is not None), None)


def _values(texts: pl.Series, definition: Definition) -> tuple[list[list[tuple[str, str]]], list[bool]]:
    """Return the personal columns of each line that have a value, and these; and which lines can't be read."""
    wanted = frozenset(definition.personal)
    needed = wanted
    for step in reversed(definition.steps):
        if step.columns & needed:
            needed |= step.sources
    read = definition.reader.parse(_bare(texts, definition), needed - {LINE}).with_columns(texts.alias(LINE))
    unread = read[ERROR].is_not_null().to_list()
    for step in definition.steps:
        if step.columns & needed:
            read = filled(read, step)
    names = [name for name in definition.personal if name in read.columns]
    rows: list[list[tuple[str, str]]] = [[] for _ in range(texts.len())]
    for name in names:
        column = read[name] if read[name].dtype == pl.List else read[name].cast(pl.String).reshape((-1, 1))
        there = column.to_frame("values").with_row_index("row").explode("values").drop_nulls()
        for row, value in there.filter(pl.col("values").str.strip_chars() != "").iter_rows():
            rows[row].append((name.rpartition(".")[2], value))
    return rows, unread


def _bare(texts: pl.Series, definition: Definition) -> pl.Series:
    """Return lines without what a collector put before them: JSON begins with its brace."""
    lines = unwrapped(texts)
    if not definition.reader.structured or lines.str.starts_with("{").all():
        return lines
    return pl.select(pl.coalesce(lines.str.extract(r"(?s)^[^{]*(\{.*)$"), lines)).to_series()


def _forms(value: str, *, json_: bool) -> Iterator[str]:
    """Yield how lines may write a value: as it is, as JSON does, in a URL, with quotes or backslashes escaped."""
    written = text(value).decode()[1:-1]
    yield written if json_ else value  # a backslash stands there twice
    ascii_ = json.dumps(value)[1:-1]
    yield from (ascii_, value, written)
    yield ESCAPE.sub(lambda match: "\\u" + match[1].upper(), ascii_)
    yield ascii_.replace("/", "\\/")
    yield value.replace("\\", "\\\\").replace('"', '\\"')
    yield value.replace('"', '""')
    yield quote(value, safe="")
    yield quote_plus(value)
    yield quote(value)


def _replaced(line: str, form: str, made: str, name: str, *, json_: bool) -> str | None:
    """Replace a text where it is no part of a longer word or number; None where it isn't there."""
    places = list(_places(line, form))
    if len(form) < SHORT:
        places = [at for at in places if line[:at].rstrip(BETWEEN).endswith(name)] or places
    parts, end = [], 0
    for at in places:
        bare = json_ and not _quoted(line, at)  # a number, whose token must be a text
        parts += [line[end:at], f'"{made}"' if bare else made]
        end = at + len(form)
    return "".join([*parts, line[end:]]) if parts else None


def _places(line: str, form: str) -> Iterator[int]:
    at = 0
    while (at := line.find(form, at)) >= 0:
        after = at + len(form)
        if not (_joins(line[at - 1 : at], form[0]) or _joins(line[after : after + 1], form[-1])):
            yield at
        at = after


def _quoted(line: str, at: int) -> bool:
    """Say whether a place lies within a JSON string."""
    return sum(found[1] is not None for found in QUOTES.finditer(line, 0, at)) % 2 == 1


def _joins(beside: str, edge: str) -> bool:
    return bool(beside) and (beside.isalnum() or beside == "_") and (edge.isalnum() or edge == "_")
