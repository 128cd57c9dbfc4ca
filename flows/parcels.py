"""Values from one process of the program to another, over a pair of sockets; both ends run the same code.

8 bytes  size of the value
8 bytes  size of the block
value    pickled
block    bytes as they are: a batch's lines, which are lent to a column where they arrive
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, fields
from io import BytesIO
from socket import MSG_WAITALL, socket
from typing import Any, Final

import numpy as np
import polars as pl

from connectors import borrowed, lines, memory
from connectors.extraction import LINE
from connectors.lines import Sizes
from detectors.contracts import Batch

HEAD: Final = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class _Told:
    """A batch without what stands in the block: its lines, or where they are not together all records."""

    values: dict[str, Any]
    records: pl.DataFrame | None = None
    sizes: Sizes | None = None


def send(end: socket, value: object, block: memoryview | bytes = b"") -> None:
    """Send a value and a block, however long that takes.

    Raises:
        OSError: nobody is there to take it.
    """
    told = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    for part in (HEAD.pack(len(told), len(block)), told, block):
        end.sendall(part)


def receive(end: socket) -> tuple[Any, memoryview]:
    """Return the next value and its block.

    Raises:
        EOFError: the other end was closed.
    """
    told, block = HEAD.unpack(_read(end, HEAD.size))
    return pickle.loads(_read(end, told)), _read(end, block)  # noqa: S301 - from a process that we started


def send_batch(end: socket, batch: Batch) -> None:
    """Send a batch."""
    values = {each.name: getattr(batch, each.name) for each in fields(batch) if each.name not in ("records", "text")}
    if batch.text is None:
        whole = BytesIO()
        batch.records.write_ipc(whole)
        send(end, _Told(values), whole.getbuffer())
    else:
        sizes = batch.records[LINE].str.len_bytes().to_numpy()
        send(end, _Told(values, batch.records.drop(LINE), sizes), batch.text)


def receive_batch(end: socket) -> Batch:
    """Return the batch that was sent.

    Raises:
        EOFError: the other end was closed.
    """
    told, block = receive(end)
    if told.records is None:
        return Batch(**told.values, records=pl.read_ipc(bytes(block)))
    data, sizes = np.frombuffer(block, np.uint8), told.sizes.astype(np.int64)
    texts = borrowed.texts(data, lines.begins(block, sizes), sizes).rename(LINE)
    return Batch(**told.values, records=told.records.insert_column(0, texts), text=block)


def _read(end: socket, size: int) -> memoryview:
    whole = memory.array((size,), np.uint8).data
    rest = whole
    while rest:
        count = end.recv_into(rest, len(rest), MSG_WAITALL)
        if not count:
            raise EOFError
        rest = rest[count:]
    return whole
