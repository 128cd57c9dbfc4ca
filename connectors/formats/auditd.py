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
from typing import ClassVar, Final

import polars as pl

from connectors.formats import audit_events
from connectors.formats.frames import ERROR
from connectors.formats.json_lines import COLUMNS

HEAD: Final = (
    r"(?:node=(?P<node>\S+) )?(?:type=(?P<type>[A-Z0-9_\[\]]+) )?(?:msg=)?"
    r"audit\((?P<timestamp>\d+(?:\.\d+)?):(?P<serial>\d+)\):"
)
EVENT: Final = r"audit\((\d+(?:\.\d+)?:\d+)\):"
KEY: Final = re.compile(r"^[A-Za-z_][\w-]*$")
NAMES: Final = r" ([A-Za-z_][\w-]*)="
HEAD_COLUMNS: Final = ("node", "type", "timestamp", "serial")

# The kernel's "untrusted strings": hexadecimal unless quoted. a0… only in EXECVE; in SYSCALL they are numbers.
ENCODED: Final = frozenset({"acct", "cmd", "comm", "cwd", "data", "exe", "key", "name", "path", "proctitle", "unit"})
ARGUMENT: Final = re.compile(r"^a\d+$")
JOINED: Final = frozenset(audit_events.COLUMNS)
SHARED: Final = frozenset(audit_events.SHARED)


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
        text = (
            original.alias("text")
            .to_frame()
            .select(
                pl.col("text")
                .str.replace_all("\x1d", " ", literal=True)  # separates what auditd adds when it names numbers
                .str.replace("msg='", "msg=' ", literal=True)
            )
        )
        asked = None if wanted is None else wanted | _beside(wanted)
        names = _names(text["text"]) if asked is None else sorted(asked - JOINED)
        head = pl.col("text").str.extract_groups(HEAD)
        frame = text.with_columns(head.alias("head")).with_columns(pl.col("head").struct.field("timestamp", "type"))
        found = frame.select(
            *[_value(name).alias(name) for name in names],
            pl.when(pl.col("timestamp").is_null()).then(pl.lit("not an audit record")).alias(ERROR),
            pl.col("type").alias(" type"),
        )
        for name in names:
            if name in ENCODED or ARGUMENT.match(name):
                found = found.with_columns(_decoded(found, name))
        found = found.drop(" type")
        if wanted is None or wanted & JOINED:
            found = found.hstack(_joined(text["text"], found))
        if names_shared := SHARED.intersection(found.columns, names if wanted is None else wanted):
            there = found.with_columns(_absent(found, ("type", *audit_events.EVENT)))
            found = found.with_columns(audit_events.shared(there, names_shared).get_columns())
        return found if wanted is None else found.select(*sorted(wanted), ERROR)


def _joined(text: pl.Series, found: pl.DataFrame) -> pl.DataFrame:
    return audit_events.joined(text, found.with_columns(_absent(found, audit_events.NEEDED)))


def _absent(found: pl.DataFrame, names: Sequence[str]) -> list[pl.Expr]:
    return [pl.lit(None, pl.String).alias(name) for name in names if name not in found.columns]


def _beside(wanted: frozenset[str]) -> frozenset[str]:
    """Return what must be read so that records can tell each other what is wanted."""
    joined = audit_events.NEEDED if wanted & JOINED else ()
    return frozenset([*joined, *(("type", *audit_events.EVENT) if wanted & SHARED else ())])


def _names(text: pl.Series) -> list[str]:
    keys = (
        text.str.extract_all(NAMES)
        .explode()
        .drop_nulls()
        .str.slice(1)
        .str.strip_suffix("=")
        .unique(maintain_order=True)
    )
    return [*HEAD_COLUMNS, *(key for key in keys.head(COLUMNS) if key not in {*HEAD_COLUMNS, "msg"})]


def _value(name: str) -> pl.Expr:
    if name in HEAD_COLUMNS:
        value = pl.col("head").struct.field(name)
    elif KEY.match(name):
        raw = pl.col("text").str.extract(rf""" {re.escape(name)}=("[^"]*"|[^\s'"]*)""")
        value = pl.when(~raw.is_in(["(null)", "?", '"?"', "(none)"])).then(raw)
    else:
        value = pl.lit(None, pl.String)
    encoded = name in ENCODED or ARGUMENT.match(name)
    return value if encoded else value.str.strip_chars('"')


def _decoded(found: pl.DataFrame, name: str) -> pl.Series:
    """Decode unquoted hexadecimal text, then remove the quotes; arguments of system calls are numbers."""
    text = found[name]
    if not ARGUMENT.match(name):
        return audit_events.decoded(text)
    numbers = (found[" type"] == "SYSCALL").fill_null(value=False)
    return audit_events.decoded(text.set(numbers, None)).zip_with(~numbers, text)
