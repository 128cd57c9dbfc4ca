"""One checksummed write to the spool: records for Kafka, and how far their inputs were read.

    "SOCB"  size of what follows  CRC-32 of it   size of the index   index (JSON)   values, one after another
     4 B           4 B                4 B              4 B

The index is {"records": [[topic, key, received, size of the value, headers], …], "marks": {input: state or null}}.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

MAGIC: Final = b"SOCB"
HEAD: Final = struct.Struct("<4sII")
INDEX: Final = struct.Struct("<I")
LARGEST: Final = 128 << 20  # bytes of one block; a size beyond is damage, not a size

Mark = dict[str, object] | None  # how far an input was read; None: it is gone


@dataclass(frozen=True, slots=True)
class Record:
    """One record for Kafka; `received` in milliseconds since 1970."""

    topic: str
    key: str
    value: bytes
    received: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """What is written, and read again, whole or not at all."""

    records: tuple[Record, ...]
    marks: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no block."""

    size: int


def encode(records: Sequence[Record], marks: Mapping[str, Mark]) -> bytes:
    """Return the bytes of a block."""
    index = orjson.dumps(
        {
            "records": [[each.topic, each.key, each.received, len(each.value), each.headers] for each in records],
            "marks": marks,
        }
    )
    body = b"".join((INDEX.pack(len(index)), index, *(each.value for each in records)))
    return HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def blocks(data: bytes) -> Iterator[tuple[int, Block | Damage]]:
    """Yield every block with the offset after it, and what stands between them that is none."""
    at = 0
    while at < len(data):
        body = _body(data, at)
        if body is not None:
            at += HEAD.size + len(body)
            yield at, _decode(body)
            continue
        found = data.find(MAGIC, at + 1)
        while found >= 0 and _body(data, found) is None:
            found = data.find(MAGIC, found + 1)
        end = found if found >= 0 else len(data)
        yield end, Damage(end - at)
        at = end


def _body(data: bytes, at: int) -> memoryview | None:
    if len(data) - at < HEAD.size:
        return None
    magic, size, checksum = HEAD.unpack_from(data, at)
    body = memoryview(data)[at + HEAD.size : at + HEAD.size + size]
    whole = magic == MAGIC and INDEX.size <= size <= LARGEST and len(body) == size
    return body if whole and zlib.crc32(body) == checksum else None


def _decode(body: memoryview) -> Block:
    at = INDEX.size + INDEX.unpack_from(body)[0]
    index = orjson.loads(body[INDEX.size : at])
    records = []
    for topic, key, received, size, headers in index["records"]:
        records.append(Record(topic, key, bytes(body[at : at + size]), received, headers))
        at += size
    return Block(tuple(records), index["marks"])
