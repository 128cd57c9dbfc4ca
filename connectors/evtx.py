"""Read Windows event logs (EVTX): a header of 4 KiB, then chunks of 64 KiB that each hold whole records.

    {"Event":{"#attributes":{…},"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"EventID":7036,…

Chunks need nothing of one another, so they are read in groups under a header of our own: memory stays bounded, archives
need no temporary file, and a damaged header costs nothing. A damaged chunk is mended and read record by record.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from evtx import PyEvtxParser

from connectors.content import Content
from connectors.lines import Portion, records

FILE_MAGIC, CHUNK_MAGIC, RECORD_MAGIC = b"ElfFile\0", b"ElfChnk\0", b"**\0\0"
HEADER, CHUNK, CHUNK_HEADER = 4096, 65536, 512
GROUP = 64  # chunks parsed at once: 4 MiB
SMALLEST = 28  # a record's own header and the copy of its size behind it
FREE = 48  # where a chunk's header says how far its records reach


def _file_header() -> bytes:
    fields = struct.pack("<8sQQQIHHHH", FILE_MAGIC, 0, 0, 1, 128, 1, 3, HEADER, 1).ljust(120, b"\0")
    return (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(HEADER, b"\0")


FILE_HEADER = _file_header()


@dataclass(slots=True)
class _Damage:
    chunks: int = 0
    lost: int = 0


@dataclass(slots=True)
class _Records:
    texts: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    size: int = 0
    errors: int = 0

    def extend(self, other: _Records) -> None:
        self.texts += other.texts
        self.ids += other.ids
        self.size += other.size
        self.errors += other.errors


def is_evtx(head: bytes) -> bool:
    """Say whether a file is an event log, even when its header is damaged."""
    return head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or head[HEADER:].startswith(CHUNK_MAGIC)


def events(content: Content) -> Iterator[Portion]:
    """Yield the events of a log as JSON; `log.offset` is the event record id."""
    if not content.peek(8).startswith(CHUNK_MAGIC):
        content.read(HEADER)
    limits, damage, found, total = content.job.limits, _Damage(), _Records(), 0
    while group := content.read(GROUP * CHUNK):
        found.extend(_group(group, damage))
        if found.size >= limits.batch or len(found.texts) >= limits.records:
            yield _portion(found)
            total, found = total + len(found.texts), _Records()
    if found.texts:
        yield _portion(found)
    _tell(content, damage, total + len(found.texts))


def _tell(content: Content, damage: _Damage, read: int) -> None:
    chunks = f"{damage.chunks} of its 64 KiB chunks are damaged"
    if damage.lost:
        fix = f"the other {read} were read; export the log again where it was written"
        content.job.outcome.fault(content.label, f"{chunks}: at least {damage.lost} records can't be read", fix)
    elif damage.chunks:
        content.job.outcome.notice(content.label, f"{chunks}, but all records in them were read")


def _portion(found: _Records) -> Portion:
    # a record id is 64 bits wide in a file anyone may have made
    return Portion(records(found.texts, [min(number, 2**63 - 1) for number in found.ids]))


def _group(group: bytes, damage: _Damage) -> _Records:
    chunks = [group[at : at + CHUNK] for at in range(0, len(group), CHUNK)]
    if all(map(_plausible, chunks)):
        found = _parse(group)
        if not found.errors:
            return found
    found = _Records()
    for chunk in chunks:
        found.extend(_chunk(chunk, damage))
    return found


def _chunk(chunk: bytes, damage: _Damage) -> _Records:
    found = _parse(chunk) if _plausible(chunk) else _Records(errors=1)
    if not found.errors:
        return found
    found = _parse(mend(chunk.ljust(CHUNK, b"\0")))
    damage.chunks += 1
    damage.lost += max(found.errors, _said(chunk) - len(found.texts), 0 if found.texts else 1)
    return found


def _parse(chunks: bytes) -> _Records:
    found = _Records()
    events = PyEvtxParser(io.BytesIO(FILE_HEADER + chunks), number_of_threads=1).records_json()
    while True:
        try:
            for event in cast("Iterator[dict[str, Any]]", events):
                found.texts.append(event["data"])
                found.ids.append(event["event_record_id"])
        except (RuntimeError, OSError, ValueError):
            found.errors += 1
        else:
            found.size = sum(map(len, found.texts))
            return found


def _plausible(chunk: bytes) -> bool:
    """Say whether the parser would look into a chunk at all; one that was never written holds zeros only."""
    whole = len(chunk) == CHUNK and chunk.startswith(CHUNK_MAGIC) and CHUNK_HEADER <= _free(chunk) < CHUNK
    return whole or not chunk.strip(b"\0")


def _free(chunk: bytes) -> int:
    said: int = struct.unpack_from("<I", chunk, FREE)[0]
    return said if CHUNK_HEADER <= said <= CHUNK else CHUNK


def _said(chunk: bytes) -> int:
    """Return how many records a chunk's header tells of, 0 when that can't be true."""
    first, last = struct.unpack_from("<QQ", chunk.ljust(CHUNK_HEADER, b"\0"), len(CHUNK_MAGIC))
    said: int = last - first + 1
    return said if chunk.startswith(CHUNK_MAGIC) and 0 < said <= CHUNK // SMALLEST else 0


def _record_size(chunk: bytes, at: int) -> int:
    """Return the size of the record at a place, or 0 when none stands there."""
    if at + SMALLEST > len(chunk) or not chunk.startswith(RECORD_MAGIC, at):
        return 0
    size: int = struct.unpack_from("<I", chunk, at + 4)[0]
    if not SMALLEST <= size <= len(chunk) - at:
        return 0
    return size if struct.unpack_from("<I", chunk, at + size - 4)[0] == size else 0


def mend(chunk: bytes) -> bytes:
    """Return a chunk with a new header in which every damaged stretch is dressed as one record.

    The parser refuses that record and goes on behind it, where it would have given up the rest of the chunk.
    """
    mended, at, free = bytearray(chunk), CHUNK_HEADER, _free(chunk)
    while at < free:
        size = _record_size(chunk, at)
        if not size:
            following = chunk.find(RECORD_MAGIC, at + SMALLEST, free)
            while following >= 0 and not _record_size(chunk, following):
                following = chunk.find(RECORD_MAGIC, following + 1, free)
            if following < 0:
                break
            size = following - at
            mended[at : at + 8] = RECORD_MAGIC + struct.pack("<I", size)
            mended[at + size - 4 : at + size] = struct.pack("<I", size)
        at += size
    # the caches of names and templates are left empty: each record also points at what it needs
    mended[:CHUNK_HEADER] = struct.pack("<8s32sIII", CHUNK_MAGIC, chunk[8:40], 128, at, at).ljust(CHUNK_HEADER, b"\0")
    return bytes(mended)
