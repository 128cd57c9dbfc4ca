"""The build of an event log's chunks: a header of 512 bytes, then records that begin `**` and end with their size.

Looks at bytes only; what the records say is for the parser.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

CHUNK_MAGIC, RECORD_MAGIC = b"ElfChnk\0", b"**\0\0"
CHUNK, CHUNK_HEADER = 65536, 512
SMALLEST = 28  # a record's own header and the copy of its size behind it
TOKEN = 24  # where in a record its content begins; 0xFF begins none
FREE = 48  # where a chunk's header says how far its records reach


def said(chunk: bytes) -> int:
    """Return how many records a chunk's header tells of, 0 when that can't be true."""
    first, last = struct.unpack_from("<QQ", chunk.ljust(CHUNK_HEADER, b"\0"), len(CHUNK_MAGIC))
    count: int = last - first + 1
    return count if chunk.startswith(CHUNK_MAGIC) and 0 < count <= CHUNK // SMALLEST else 0


def _free(chunk: bytes) -> int:
    offset: int = struct.unpack_from("<I", chunk, FREE)[0]
    return offset if CHUNK_HEADER <= offset <= CHUNK else CHUNK


def _record_size(chunk: bytes, at: int) -> int:
    """Return the size of the record at a place, or 0 when none stands there."""
    if at + SMALLEST > len(chunk) or not chunk.startswith(RECORD_MAGIC, at):
        return 0
    size: int = struct.unpack_from("<I", chunk, at + 4)[0]
    if not SMALLEST <= size <= len(chunk) - at:
        return 0
    return size if struct.unpack_from("<I", chunk, at + size - 4)[0] == size else 0


def mend(chunk: bytes) -> bytes:
    """Return a whole chunk with a new header in which every damaged stretch is dressed as one record.

    The parser refuses that record and goes on behind it, where it would have given up the rest of the chunk.
    """
    chunk = chunk.ljust(CHUNK, b"\0")
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


def singled(chunk: bytes) -> Iterator[bytes]:
    """Yield a mended chunk once for each of its records, with all others made illegible.

    Only the first byte of their content is: a record may point at names and templates inside another.
    """
    mended, at = mend(chunk), CHUNK_HEADER
    places: list[int] = []
    while size := _record_size(mended, at):
        places += [at + TOKEN] if size > SMALLEST else []
        at += size
    silent = bytearray(mended)
    for place in places:
        silent[place] = 0xFF
    for place in places:
        yield bytes(silent[:place] + mended[place : place + 1] + silent[place + 1 :])
