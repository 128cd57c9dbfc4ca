r"""Records of the Linux audit daemon, one event per record.

    type=EXECVE msg=audit(1604996384.965:93777): argc=3 a0="dd" a1="if=/dev/zero" a2=2F746D702F612062

Own columns: the keys as they are named. Quotes are removed; what the kernel writes as hexadecimal digits because it
holds spaces, quotes or control characters is decoded (`/tmp/a b`). Keys inside `msg='…'` count as the record's.
What the records of one event tell of each other stands in the columns of `audit_events`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np
import polars as pl

from connectors.bytewise import piece, texts_at
from connectors.formats import audit_events, pairs
from connectors.formats.frames import ERROR
from connectors.patterns.fit import fit
from connectors.warm import WARMTH

HEAD: Final = (
    r"(?:node=(?P<node>\S+) )?(?:type=(?P<type>[A-Z0-9_\[\]]+) )?(?:msg=)?"
    r"audit\((?P<timestamp>\d+(?:\.\d+)?):(?P<serial>\d+)\):"
)
EVENT: Final = r"audit\((\d+(?:\.\d+)?:\d+)\):"
SEPARATOR: Final = "\x1d"  # stands before what auditd adds when it names numbers
KEY: Final = re.compile(r"^[A-Za-z_][\w-]*\Z")
NAMES: Final = r" ([A-Za-z_][\w-]*)="
HEAD_COLUMNS: Final = ("node", "type", "timestamp", "serial")

# The kernel's "untrusted strings": hexadecimal unless quoted. a0… only in EXECVE; in SYSCALL they are numbers.
ENCODED: Final = frozenset({"acct", "cmd", "comm", "cwd", "data", "exe", "key", "name", "path", "proctitle", "unit"})
ARGUMENT: Final = re.compile(r"^a\d+$")
JOINED: Final = frozenset(audit_events.COLUMNS)
SHARED: Final = frozenset(audit_events.SHARED)


class Read(NamedTuple):
    """What records hold: they as texts with blanks between pairs, the parts of their heads, and a column per key."""

    text: pl.Series
    heads: pl.DataFrame
    values: dict[str, pl.Series]


@dataclass(frozen=True, slots=True)
class Auditd:
    """Reads records of audit.log, also after a syslog header."""

    name: ClassVar[str] = "auditd"
    structured: ClassVar[bool] = False

    def event(self, lines: pl.Series) -> pl.Series:
        """Name the event that each record is of: what they tell of each other is read where they come together."""
        return lines.str.extract(EVENT)

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        asked = None if wanted is None else (wanted | _beside(wanted)) - JOINED
        text, heads, values = (_quickly if WARMTH.worth(original.len()) else _slowly)(original, asked)
        made = {**{part.name: part for part in heads}, **values}
        error = pl.select(pl.when(heads["timestamp"].is_null()).then(pl.lit("not an audit record"))).to_series()
        found = pl.DataFrame([*pairs.selected(made, asked, original.len()), error.alias(ERROR)])
        if wanted is None or wanted & JOINED:
            found = found.hstack(_joined(text, found))
        if names_shared := SHARED.intersection(found.columns, found.columns if wanted is None else wanted):
            there = found.with_columns(_absent(found, ("type", *audit_events.EVENT)))
            found = found.with_columns(audit_events.shared(there, names_shared).get_columns())
        return found if wanted is None else found.select(*sorted(wanted), ERROR)


def _quickly(original: pl.Series, asked: frozenset[str] | None) -> Read:
    """Read records as machine code, and those that are odd by patterns."""
    from connectors.formats.cutting import audited  # noqa: PLC0415 - few lines do without

    texts = piece(original)
    texts.data[np.flatnonzero(texts.data == ord(SEPARATOR))] = ord(" ")
    sizes = (texts.ends - texts.starts).astype(np.int32)
    text = texts_at(texts, ["text"], np.zeros_like(sizes)[None], sizes[None])["text"]
    heads = fit(text, (HEAD,), _head(asked), texts).columns
    columns, odd, digits = audited(texts, None if asked is None else frozenset(filter(_is_key, asked)))
    values = {name: column for name, column in columns.items() if asked is not None or _is_own(name)}
    for name in filter(_is_encoded, values):
        values[name] = audit_events.written(values[name], _encoded(name, digits[name], heads["type"]))
    if odd.len():
        others = _values(text.gather(odd), heads["type"].gather(odd), asked)
        values = pairs.replaced(values, others, odd, original.len())
    return Read(text, heads, values)


def _encoded(name: str, digits: pl.Series, types: pl.Series) -> pl.Series:
    """Return at which of the places of digits these are texts: arguments of system calls are numbers."""
    if name in ENCODED:
        return digits
    return digits.filter(types.gather(digits).ne_missing("SYSCALL"))


def _slowly(original: pl.Series, asked: frozenset[str] | None) -> Read:
    """Read the same by patterns."""
    text = original.str.replace_all(SEPARATOR, " ", literal=True)
    heads = fit(text, (HEAD,), _head(asked)).columns
    return Read(text, heads, _values(text, heads["type"], asked))


def _head(asked: frozenset[str] | None) -> frozenset[str] | None:
    return None if asked is None else asked | {"timestamp", "type"}


def _is_key(name: str) -> bool:
    """Say whether records may have such a key that isn't part of their heads."""
    return bool(KEY.match(name)) and name not in HEAD_COLUMNS


def _is_encoded(name: str) -> bool:
    return name in ENCODED or bool(ARGUMENT.match(name))


def _is_own(name: str) -> bool:
    """Say whether a key that was met is a column: `msg` holds others, and some columns are made of several records."""
    return name not in {*HEAD_COLUMNS, *JOINED, "msg"}


def _joined(text: pl.Series, found: pl.DataFrame) -> pl.DataFrame:
    return audit_events.joined(text, found.with_columns(_absent(found, audit_events.NEEDED)))


def _absent(found: pl.DataFrame, names: Sequence[str]) -> list[pl.Expr]:
    return [pl.lit(None, pl.String).alias(name) for name in names if name not in found.columns]


def _beside(wanted: frozenset[str]) -> frozenset[str]:
    """Return what must be read so that records can tell each other what is wanted."""
    joined = audit_events.NEEDED if wanted & JOINED else ()
    return frozenset([*joined, *(("type", *audit_events.EVENT) if wanted & SHARED else ())])


def _values(text: pl.Series, types: pl.Series, asked: frozenset[str] | None) -> dict[str, pl.Series]:
    """Return a column per key that is asked for, or that there is."""
    spaced = audit_events.spaced(text)
    names = _names(spaced) if asked is None else sorted(filter(_is_key, asked))
    frame = spaced.alias("text").to_frame().select(_value(name).alias(name) for name in names)
    return {name: _decoded(frame[name], types) for name in names}


def _names(text: pl.Series) -> list[str]:
    keys = (
        text.str.extract_all(NAMES)
        .explode()
        .drop_nulls()
        .str.slice(1)
        .str.strip_suffix("=")
        .unique(maintain_order=True)
    )
    return [*filter(_is_own, keys.head(pairs.NAMES))]


def _value(name: str) -> pl.Expr:
    raw = pl.col("text").str.extract(rf""" {re.escape(name)}=("[^"]*"|[^\s'"]*)""")
    return pl.when(~raw.is_in(["(null)", "?", '"?"', "(none)"])).then(raw)


def _decoded(text: pl.Series, types: pl.Series) -> pl.Series:
    """Decode unquoted hexadecimal text, and remove quotes; arguments of system calls are numbers."""
    plain = text.str.strip_chars('"')
    if not _is_encoded(text.name):
        return plain
    texts = audit_events.decoded(text)
    return texts if text.name in ENCODED else texts.zip_with(types.ne_missing("SYSCALL"), plain)
