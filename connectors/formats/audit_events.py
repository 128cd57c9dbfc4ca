"""Joins the records of one audit event: what a process was started with stands in records beside the system call.

    type=SYSCALL msg=audit(1604996384.965:93777): … exe="/bin/dd"
    type=EXECVE msg=audit(1604996384.965:93777): argc=2 a0="dd" a1="if=/dev/zero"
    type=CWD msg=audit(1604996384.965:93777): cwd="/root"
    type=PATH msg=audit(1604996384.965:93777): name="x" nametype=CREATE

The system call gets `CommandLine` and `CurrentDirectory`, and so does every path, which also gets `Image` and, where it
was created, `TargetFilename`: the names of Sigma's process_creation and file_event rules. Paths and arguments also get
who did it and whether it went well (`exe`, `key`, `auid`, `success`, …: SHARED), so that a rule may ask for a file and
a key together. Records stay events of their own, so rules for single records see what they always saw. Only records of
one batch are joined; those of one event that come in two wait for each other (`Auditd.event`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

COLUMNS: Final = ("CommandLine", "CurrentDirectory", "Image", "TargetFilename", "args")
NEEDED: Final = ("type", "timestamp", "serial", "node", "exe", "proctitle", "cwd", "name", "nametype")
ARGUMENT: Final = r" a\d+(?:\[\d+\])?=(?:\"[^\"]*\"|[^\s\"]+)"
SPLIT: Final = r"^ a\d+\["  # a1[0]=… a1[1]=…: pieces of an argument that is too long for a record
HOLDERS: Final = ("SYSCALL", "PATH")
RECEIVERS: Final = ("PATH", "EXECVE")
EVENT: Final = ("node", "timestamp", "serial")
SHARED: Final = (
    "exe", "comm", "key", "success", "exit", "syscall", "SYSCALL", "auid", "AUID", "uid", "UID", "euid", "EUID",
    "pid", "ppid", "ses", "tty",
)  # fmt: skip


def joined(text: pl.Series, records: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that records get from others of their event; `records` holds the columns NEEDED."""
    args = _arguments(text, records["type"] == "EXECVE")
    frame = records.select(NEEDED).with_columns(args=args, line=args.list.join(" "))
    whole_line = pl.when(pl.col("line").count() > 0).then(
        pl.col("line").str.join(" ")
    )  # of several records, if need be
    parts = frame.group_by(EVENT, maintain_order=True).agg(
        pl.coalesce(whole_line, pl.col("proctitle").drop_nulls().first()).alias("CommandLine"),
        pl.col("cwd").drop_nulls().first().alias("CurrentDirectory"),
        pl.col("exe").drop_nulls().first().alias("Image"),
    )
    whole = frame.join(parts, on=EVENT, how="left", maintain_order="left", nulls_equal=True)
    holds = pl.col("type").is_in(HOLDERS)
    created = (pl.col("type") == "PATH") & (pl.col("nametype") == "CREATE")
    below = (
        pl.when(pl.col("name").str.starts_with("/"))
        .then("name")
        .otherwise(pl.concat_str(pl.col("CurrentDirectory").str.strip_suffix("/"), pl.lit("/"), "name"))
    )
    return whole.select(
        *[pl.when(holds).then(pl.col(name)).alias(name) for name in ("CommandLine", "CurrentDirectory", "Image")],
        pl.when(created).then(pl.coalesce(below, "name")).alias("TargetFilename"),
        "args",
    )


def shared(records: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """Return these columns of SHARED, in paths and arguments filled with what the system call says."""
    calls = records.with_row_index("call").filter(pl.col("type") == "SYSCALL").unique(EVENT, keep="first")
    frame = records.select(*EVENT, "type").join(
        calls.select(*EVENT, "call"), on=EVENT, how="left", maintain_order="left", nulls_equal=True
    )
    call = frame["call"].set(~frame["type"].is_in(RECEIVERS).fill_null(value=False), None)
    return records.select(pl.coalesce(name, pl.col(name).gather(pl.lit(call))) for name in sorted(names))


def _arguments(text: pl.Series, execve: pl.Series) -> pl.Series:
    """Return the arguments that each EXECVE record lists."""
    rows = execve.fill_null(value=False).arg_true()
    found = (
        spaced(text.gather(rows))
        .str.extract_all(ARGUMENT)
        .alias("argument")
        .to_frame()
        .with_row_index("row")
        .explode("argument")
    )
    if found["argument"].str.contains(SPLIT).any():
        found = _whole(found)
    value = found["argument"].str.replace(r"^ a\d+(?:\[\d+\])?=", "")
    found = found.with_columns(decoded(value).alias("argument")).drop_nulls("argument")
    lists = found.group_by("row", maintain_order=True).agg("argument")
    places = pl.Series([None], dtype=pl.UInt32).new_from_index(0, text.len())
    places = places.scatter(rows.gather(lists["row"]), pl.arange(lists.height, dtype=pl.UInt32, eager=True))
    return lists["argument"].gather(places)


def _whole(found: pl.DataFrame) -> pl.DataFrame:
    """Put arguments together that a record lists in pieces; letters of hexadecimal ones may stand in two of them."""
    raw = found["argument"].str.replace(r"^ a\d+(?:\[\d+\])?=", "")
    quoted = pl.lit('"') + pl.col("plain").str.join("") + pl.lit('"')
    value = (
        pl.when(pl.col("raw").str.contains('"', literal=True).any()).then(quoted).otherwise(pl.col("raw").str.join(""))
    )
    name = pl.col("argument").str.extract(r"^( a\d+)")
    parts = found.with_columns(raw.alias("raw"), decoded(raw).alias("plain"), name.alias("name"))
    whole = parts.group_by("row", "name", maintain_order=True).agg(value.alias("argument"))
    return whole.select("row", (pl.col("name") + "=" + pl.col("argument")).alias("argument"))


def spaced(text: pl.Series) -> pl.Series:
    """Return records with a blank before each key: those within `msg='…'` too."""
    return text.str.replace("msg='", "msg=' ", literal=True)


def decoded(text: pl.Series) -> pl.Series:
    """Decode what is hexadecimal because it is no plain text, and remove the quotes of what is."""
    rows = text.str.contains(r"^(?:[0-9A-F]{2})+$").fill_null(value=False).arg_true()
    return written(text.str.strip_chars('"'), rows)


def written(text: pl.Series, rows: pl.Series) -> pl.Series:
    """Return texts where the hexadecimal digits that stand in these rows are what they stand for."""
    if rows.is_empty():
        return text
    digits = text.gather(rows)
    distinct = digits.unique()
    return text.clone().scatter(rows, digits.replace_strict(distinct, _texts(distinct), return_dtype=pl.String))


def _texts(digits: pl.Series) -> pl.Series:
    """Return what digits stand for; Polars decodes bytes, and can't tell those that are no text."""
    easy = digits.str.contains(r"^(?:[0-7].)+$")
    plain = digits.filter(easy).str.decode("hex").cast(pl.String).str.replace_all("\0", " ", literal=True)
    others = pl.Series([_text(cell) for cell in digits.filter(~easy)], dtype=pl.String)
    return digits.clone().scatter(easy.arg_true(), plain).scatter((~easy).arg_true(), others)


def _text(digits: str) -> str:
    return bytes.fromhex(digits).replace(b"\x00", b" ").decode("utf-8", "replace")
