"""Parse chunks of Windows event logs in a process of their own: the parser is native code, and its input hostile.

    stdin   a socket: seconds for each chunk, how many stretches of chunks, whether to parse what doesn't look like a
            chunk; then of each stretch: where it begins, how many chunks it has
            Open files come along: that of the answer, and for each stretch the one that it stands in
    stdout  how many chunks were looked at, when the answer is in its file:
            of each chunk: records, errors, bytes of text; then all ids; then the records, a line each

`connectors.evtx_process` runs this as a script. It imports little, so it is there in 40 ms. An alarm is always set, and
its signal ends the process even inside native code: when a chunk takes too long, or the parent is gone. Chunks and
answers lie in files, so neither side ever waits for the other to take them.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import socket
import struct
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from evtx import PyEvtxParser

CHUNK, CHUNK_HEADER = 65536, 512
MAGIC, FREE = b"ElfChnk\0", struct.Struct("<48xI")  # where a chunk's header says how far its records reach
READY = b"R"  # said once, when the parser is loaded
REQUEST, STRETCH = struct.Struct("<dI?"), struct.Struct("<QI")
STRETCHES = 64  # in a request; a process may have few files open, and a socket carries at most 253
COUNT, PART = struct.Struct("<I"), struct.Struct("<HHI")
MOST = CHUNK // 28  # records, or errors, of one chunk: no record is smaller
UNREAD = 0xFFFF  # stands for the errors of a chunk that the parser would not look into
TEXT = 16 << 20  # JSON out of one chunk; an honest one gives some 200 KiB
ANSWER = 4 * TEXT  # at this size the chunks that are left wait for the next request
MEMORY, FILE = 2 << 30, 8 * TEXT
ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)}
IDLE = 60.0  # seconds to wait for a request


class Parsed:
    """What one chunk holds: the records, their ids, and how many could not be read."""

    __slots__ = ("errors", "ids", "texts")

    def __init__(self, errors: int = 0) -> None:
        self.texts: list[str] = []
        self.ids: array[int] = array("Q")
        self.errors = errors


Parse = Callable[[bytes], Parsed]


def _file_header() -> bytes:
    fields = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, 0, 1, 128, 1, 3, 4096, 1).ljust(120, b"\0")
    return (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(4096, b"\0")


FILE_HEADER = _file_header()


def parse(chunk: bytes) -> Parsed:
    """Return the records of a chunk; what is beyond a limit counts as one error."""
    found, size = Parsed(), 0
    events = PyEvtxParser(io.BytesIO(FILE_HEADER + chunk), number_of_threads=1).records_json()
    texts, ids = found.texts, found.ids
    while found.errors < MOST:  # a parser that fails without moving on must not go round for ever
        try:
            for event in events:
                if event is None:
                    break
                text = event["data"]
                size += len(text)
                if size > TEXT or len(texts) == MOST:
                    found.errors += 1
                    return found
                texts.append(text)
                ids.append(event["event_record_id"])
            break
        except (RuntimeError, OSError, ValueError):
            found.errors += 1
    return found


def plausible(chunk: bytes) -> bool:
    """Say whether the parser would look into a chunk at all."""
    return len(chunk) == CHUNK and chunk.startswith(MAGIC) and CHUNK_HEADER <= FREE.unpack_from(chunk)[0] < CHUNK


def lines(texts: list[str]) -> bytes:
    """Return the records, each with the end of its line.

    The parser leaves names as they are, so a damaged one may break the line.
    """
    joined = "\n".join(texts)
    if texts and joined.count("\n") >= len(texts):
        joined = "\n".join(text.translate(ESCAPES) for text in texts)
    return joined.encode() + b"\n" if texts else b""


def answer(chunks: Iterable[bytes], seconds: float, parse: Parse) -> tuple[int, list[bytes]]:
    """Return how many chunks the answer is about, perhaps fewer than were asked for, and the answer in pieces."""
    parts, ids, texts, size = list[bytes](), list[bytes](), list[bytes](), 0
    for chunk in chunks:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        found = parse(chunk)
        text = lines(found.texts)
        parts.append(PART.pack(len(found.texts), found.errors, len(text)))
        ids.append(found.ids.tobytes())
        texts.append(text)
        size += len(text)
        if size > ANSWER:
            break
    return len(parts), [b"".join(parts), b"".join(ids), *texts]


def serve(parse: Parse = parse) -> None:
    """Answer requests until there are no more."""
    requests = socket.socket(fileno=0)
    os.write(1, READY)
    while True:
        signal.setitimer(signal.ITIMER_REAL, IDLE)
        head, files, _, _ = socket.recv_fds(requests, REQUEST.size, STRETCHES + 1)
        if len(head) < REQUEST.size:
            return
        seconds, count, anyhow = REQUEST.unpack(head)
        table = requests.recv(count * STRETCH.size, socket.MSG_WAITALL)
        places = zip(files[1:], STRETCH.iter_unpack(table), strict=True)
        looked, pieces = answer(_chunks(places), seconds, parse if anyhow else partial(_careful, parse))
        signal.setitimer(signal.ITIMER_REAL, IDLE)
        _write(files[0], pieces)
        for file in files:
            os.close(file)
        os.write(1, COUNT.pack(looked))


def _careful(parse: Parse, chunk: bytes) -> Parsed:
    """Parse a chunk if it looks like one; one that was never written is all zeros."""
    if plausible(chunk):
        return parse(chunk)
    return Parsed(errors=0 if chunk == bytes(len(chunk)) else UNREAD)


def _chunks(places: Iterable[tuple[int, tuple[int, int]]]) -> Iterator[bytes]:
    for file, (at, count) in places:
        for number in range(count):
            chunk = b""
            with suppress(OSError):  # whoever asked finds out why
                chunk = os.pread(file, CHUNK, at + number * CHUNK)
            yield chunk or MAGIC


def _write(file: int, pieces: Sequence[bytes]) -> None:
    at = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            written = os.pwrite(file, rest, at)
            rest, at = rest[written:], at + written


def confine() -> None:
    """Give up the means to take the machine along."""
    limits = (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, FILE)
    for kind, most in limits:
        with suppress(ValueError, OSError):  # a limit that is tighter already stays; macOS knows no RLIMIT_AS
            resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})  # a mask outlives exec


if __name__ == "__main__":
    confine()
    serve()
