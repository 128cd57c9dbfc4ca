"""Cut a stream of text into records, one per line, without a Python step per line.

A batch is read as one block, which Polars cuts; the sizes of the lines give their offsets. Bytes that aren't
UTF-8 stay as escapes, and a line beyond the limit is streamed past and becomes a dead letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.content import Limits
from detectors.schema import RECORD

LETTER = pl.Schema([*RECORD.items(), ("error.message", pl.String())])
# b"\xc3(" in a JSON line reads "\\xc3(", so that the line is still JSON
JSON_ESCAPES = {0xDC00 + byte: f"\\\\x{byte:02x}" for byte in range(0x80, 0x100)}
# Polars would unpack a block that begins so: gzip, zstd, zlib
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")

Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records of a file, and the lines among them that can't become records (RECORD and error.message).

    `text` is all of the records as they stand in the file, where nothing but ends of lines stands between them.
    """

    records: pl.DataFrame = field(default_factory=RECORD.to_frame)
    dead: pl.DataFrame = field(default_factory=LETTER.to_frame)
    text: bytes | None = None


def records(texts: Sequence[str] | pl.Series, offsets: Sequence[int] | npt.NDArray[np.int64]) -> pl.DataFrame:
    """Return the RECORD frame of texts and their offsets."""
    return pl.DataFrame({"event.original": texts, "log.offset": offsets, "soc.index": 0}, schema=RECORD)


def lines(read: Read, limits: Limits, *, start: int = 0, json: bool = False) -> Iterator[Portion]:
    """Yield the lines of a UTF-8 stream whose first byte stands at offset `start`; `json` says that each is JSON."""
    rest, at, fresh = b"", start, b"more"
    while fresh:
        fresh = read(limits.batch - len(rest))
        end = fresh.rfind(b"\n") + 1
        block = b"".join((rest, memoryview(fresh)[:end])) if end or not fresh else b""
        rest = fresh[end:] if block else rest + fresh
        if block:
            yield _portion(block, at, limits, json=json)
            at += len(block)
        if len(rest) > limits.line:
            portion, rest, length = _overlong(rest, read, at, limits)
            yield portion
            at += length


def _portion(block: bytes, at: int, limits: Limits, *, json: bool) -> Portion:
    texts, escaped = _cut(block, json=json)
    starts, sizes = _places(block, texts)
    long = sizes > limits.line
    frame = records(texts, starts + at)
    kept = texts.str.contains(r"\S") & pl.Series(~long)
    if not kept.all():
        frame = frame.filter(kept)
    found = np.flatnonzero(long).tolist()
    dead = [_letter(_Overlong(limits, block[starts[i] : starts[i] + sizes[i]]), at + int(starts[i])) for i in found]
    return Portion(frame, pl.concat(dead) if dead else LETTER.to_frame(), block if kept.all() and not escaped else None)


def begins(data: bytes, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where the lines of a text begin, whose sizes are known without the LF or CR LF that ends each.

    Sizes add up to that where all lines end alike, and are those of the bytes; else the text is searched for LFs.
    """
    ended = data.endswith(b"\n")
    for end in (1, 2):
        steps = sizes + end
        if not data.endswith(b"\r") and steps.sum() - (0 if ended else end) == len(data):
            return np.cumsum(steps) - steps
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    return np.concatenate([[0], ends[:-1] if ended else ends])


def _places(block: bytes, texts: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each line starts in its block, and its size in bytes without LF."""
    starts = begins(block, texts.str.len_bytes().to_numpy().astype(np.int64))
    return starts, np.diff(starts, append=len(block) + (not block.endswith(b"\n"))) - 1


def _cut(block: bytes, *, json: bool) -> tuple[pl.Series, bool]:
    """Return the lines of a block, which LF and CR LF end, and whether bytes of it became escapes."""
    if block.startswith(PACKED):
        texts, escaped = _cut(b"\n" + block, json=json)
        return texts[1:], escaped
    try:
        return pl.read_lines(block).to_series(), False
    except pl.exceptions.ComputeError:  # not UTF-8
        text = block.decode("utf-8", "surrogateescape" if json else "backslashreplace")
        return pl.read_lines((text.translate(JSON_ESCAPES) if json else text).encode()).to_series(), True


class _Overlong:
    """What is known of a line that is not kept whole."""

    def __init__(self, limits: Limits, head: bytes) -> None:
        self.limits, self.head, self.length, self.hash = limits, b"", 0, hashlib.sha256()
        self.add(head)

    def add(self, data: bytes) -> None:
        self.head += data[: self.limits.kept - len(self.head)]
        self.length += len(data)
        self.hash.update(data)


def _overlong(head: bytes, read: Read, at: int, limits: Limits) -> tuple[Portion, bytes, int]:
    """Stream past a line: return its dead letter, what was read beyond it, and its length with the newline."""
    line = _Overlong(limits, head)
    while data := read(limits.line):
        rest, newline, beyond = data.partition(b"\n")
        line.add(rest)
        if newline:
            return Portion(dead=_letter(line, at)), beyond, line.length + 1
    return Portion(dead=_letter(line, at)), b"", line.length


def _letter(line: _Overlong, at: int) -> pl.DataFrame:
    reason = (
        f"the line is {line.length} bytes long, the limit is {line.limits.line}; its first {len(line.head)} bytes are "
        f"kept; SHA-256 of the whole {line.hash.hexdigest()}"
    )
    head = line.head.decode("utf-8", "backslashreplace")
    return records([head], [at]).with_columns(pl.lit(reason).alias("error.message"))
