"""What a child made of chunks of event logs: a child that broke under its input may say anything.

Of each chunk the file of an answer holds how many records, how many errors, how many bytes of text; then all ids; then
the records, a line each.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from connectors.evtx_child import Child
from detectors.errors import InputError

LARGEST: Final = 96 << 20  # an answer beyond this isn't from a sane child
COUNT: Final = struct.Struct("<I")
PART: Final = np.dtype([("records", "<u2"), ("errors", "<u2"), ("size", "<u4")])
ID: Final = np.dtype("<u8")
LF: Final = ord("\n")
STEP: Final = 1 << 16  # bytes looked at at once: more would need fresh memory, which takes longer to clear

Heads = npt.NDArray[np.void]  # of PART
Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Part:
    """What the parser made of one chunk: its records as lines of JSON, their ids, and its failures."""

    lines: bytes
    ids: Ids
    errors: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the parser made of chunks, and the file that holds their records; the next answer takes its place."""

    heads: Heads
    ids: Ids
    size: int  # bytes of all records, a line each
    _file: int

    def read(self, into: memoryview) -> None:
        """Copy the records into memory of their size.

        Raises:
            InputError: they are not what was announced.
        """
        begin = self.heads.nbytes + self.ids.nbytes
        read = os.preadv(self._file, [into], begin) if self.size else 0
        data = np.frombuffer(into, np.uint8)
        ends = sum(np.count_nonzero(data[at : at + STEP] == LF) for at in range(0, self.size, STEP))
        if read != self.size or ends != len(self.ids) or (self.size and into[-1] != LF):
            raise _nonsense()

    def parts(self) -> list[Part]:
        """Return it by chunks."""
        text = bytearray(self.size)
        self.read(memoryview(text))
        last_ids, last_bytes = (np.cumsum(self.heads[name], dtype=np.int64).tolist() for name in ("records", "size"))
        parts: list[Part] = []
        for head, last_id, last_byte in zip(self.heads, last_ids, last_bytes, strict=True):
            records, size = int(head["records"]), int(head["size"])
            lines = bytes(memoryview(text)[last_byte - size : last_byte])
            if lines.count(b"\n") != records:
                raise _nonsense()
            parts.append(Part(lines, self.ids[last_id - records : last_id], int(head["errors"])))
        return parts


def received(child: Child, asked: int, deadline: float) -> Answer:
    """Receive an answer; a child that broke under its input may say anything."""
    (count,) = COUNT.unpack(child.receive(COUNT.size, deadline))
    if not 0 < count <= asked:
        raise _nonsense()
    heads = np.frombuffer(_read(child.file, count * PART.itemsize, 0), PART)
    records, size = (int(heads[name].sum(dtype=np.int64)) for name in ("records", "size"))
    ids = np.frombuffer(_read(child.file, records * ID.itemsize, heads.nbytes), ID)
    if size > LARGEST:
        raise _nonsense()
    return Answer(heads, ids, size, child.file)


def _read(file: int, size: int, at: int) -> bytes:
    data = os.pread(file, size, at)
    if len(data) != size:
        raise _nonsense()
    return data


def _nonsense() -> InputError:
    return InputError("crashed (its answer makes no sense)")
