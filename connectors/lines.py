"""Cut a stream of text into records, one per line, without a Python step per line.

A batch is read as one block, which Polars cuts; the sizes of the lines give their offsets. Bytes that aren't
UTF-8 stay as escapes, and a line beyond the limit is streamed past and becomes a dead letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors import borrowed, memory
from connectors.breaks import breaks
from connectors.content import Limits
from detectors.schema import RECORD

LETTER = pl.Schema([*RECORD.items(), ("error.message", pl.String())])
# b"\xc3(" in a JSON line reads "\\xc3(", so that the line is still JSON
JSON_ESCAPES = {0xDC00 + byte: f"\\\\x{byte:02x}" for byte in range(0x80, 0x100)}
# Polars would unpack a block that begins so: gzip, zstd, zlib
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")

STEP = 1 << 18  # bytes that are searched for the last end of a line at a time

Sizes = npt.NDArray[np.int64]
Read = Callable[[int], bytes]
ReadInto = Callable[[memoryview], int]
Block = memoryview  # of bytes, which nobody changes any more


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records of a file, and the lines among them that can't become records (RECORD and error.message).

    `text` is all of the records as they stand in the file, where nothing but ends of lines stands between them.
    """

    records: pl.DataFrame = field(default_factory=RECORD.to_frame)
    dead: pl.DataFrame = field(default_factory=LETTER.to_frame)
    text: Block | None = None


def records(texts: Sequence[str] | pl.Series, offsets: Sequence[int] | npt.NDArray[np.int64]) -> pl.DataFrame:
    """Return the RECORD frame of texts and their offsets."""
    columns = texts, offsets, np.zeros(len(offsets), np.int64)
    made = zip(RECORD.items(), columns, strict=True)
    return pl.DataFrame([pl.Series(name, values, kind) for (name, kind), values in made])


def lines(
    read: Read, limits: Limits, *, into: ReadInto | None = None, start: int = 0, json: bool = False
) -> Iterator[Portion]:
    """Yield the lines of a UTF-8 stream whose first byte stands at offset `start`; `json` says that each is JSON.

    Where the stream can be read into memory that is there already, nothing is copied.
    """
    rest, at, more = b"", start, True
    while more:
        block = _read(rest, read, limits.batch - len(rest)) if into is None else _filled(rest, into, limits.batch)
        more = len(block) > len(rest)
        end = _last(block) if more else len(block)
        block, rest = block[:end], bytes(block[end:])
        if block:
            yield _portion(block, at, limits, json=json)
            at += len(block)
        if len(rest) > limits.line:
            portion, rest, length = _overlong(rest, read, at, limits)
            yield portion
            at += length


def _read(rest: bytes, read: Read, size: int) -> Block:
    return Block(b"".join((rest, read(size))) if rest else read(size))


def _filled(rest: bytes, into: ReadInto, size: int) -> Block:
    """Return so many bytes, of which some were read before."""
    block = memory.array((size,), np.uint8).data
    block[: len(rest)] = rest
    return block[: len(rest) + into(block[len(rest) :])]


def _last(block: Block) -> int:
    """Return where the last line ends that has an end, 0 where none has."""
    for begin in range(len(block), 0, -STEP):
        if found := bytes(block[max(begin - STEP, 0) : begin]).rfind(b"\n") + 1:
            return max(begin - STEP, 0) + found
    return 0


def _portion(block: Block, at: int, limits: Limits, *, json: bool) -> Portion:
    texts, starts, sizes, escaped = cut(block, json=json)
    long = sizes > limits.line
    frame = records(texts, starts + at)
    kept = texts.str.contains(r"\S") & pl.Series(~long)
    if not kept.all():
        frame = frame.filter(kept)
    found = np.flatnonzero(long).tolist()
    dead = [
        _letter(_Overlong(limits, bytes(block[starts[i] : starts[i] + sizes[i]])), at + int(starts[i])) for i in found
    ]
    return Portion(frame, pl.concat(dead) if dead else LETTER.to_frame(), block if kept.all() and not escaped else None)


def begins(data: bytes | Block, sizes: Sizes) -> Sizes:
    """Return where the lines of a text begin, whose sizes are known without the LF or CR LF that ends each.

    Sizes add up to that where all lines end alike, and are those of the bytes; else the text is searched for LFs.
    """
    last = bytes(data[-1:])
    for end in (1, 2):
        steps = sizes + end
        if last != b"\r" and steps.sum() - (0 if last == b"\n" else end) == len(data):
            return np.cumsum(steps) - steps
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    return np.concatenate([[0], ends[:-1] if last == b"\n" else ends])


def ended(data: bytes | Block) -> bool:
    """Say whether the last line of a text has its end."""
    return bytes(data[-1:]) == b"\n"


def cut(block: Block, *, json: bool) -> tuple[pl.Series, Sizes, Sizes, bool]:
    """Return the lines of a block, which LF and CR LF end.

    And where each starts there, its size in bytes without LF, and whether bytes of it became escapes.
    """
    if borrowed.worth(len(block)):
        data = np.frombuffer(block, np.uint8)
        ends = breaks(data) if ended(block) else np.append(breaks(data), len(block))
        starts = np.concatenate([[0], ends[:-1] + 1])
        returns = data[ends - 1] == ord("\r")
        returns &= ends > starts
        with suppress(pl.exceptions.ComputeError):
            return borrowed.texts(data, starts, ends - starts - returns), starts, ends - starts, False
    texts, escaped = _copied(bytes(block), json=json)
    starts, sizes = _places(block, texts)
    return texts, starts, sizes, escaped


def _places(block: Block, texts: pl.Series) -> tuple[Sizes, Sizes]:
    """Return where each line starts in its block, and its size in bytes without LF."""
    starts = begins(block, texts.str.len_bytes().to_numpy().astype(np.int64))
    end = len(block) if ended(block) else len(block) + 1
    return starts, np.diff(np.append(starts, end)) - 1


def _copied(block: bytes, *, json: bool) -> tuple[pl.Series, bool]:
    """Return the lines of a block, and whether bytes of it became escapes."""
    if block.startswith(PACKED):
        texts, escaped = _copied(b"\n" + block, json=json)
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
