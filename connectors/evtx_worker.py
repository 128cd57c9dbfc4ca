"""Parse chunks of Windows event logs in a process of their own: the parser is native code, and its input hostile.

    stdin   how many chunks, seconds for each, the chunks
    stdout  how many chunks, then of each: records, errors, bytes of text; then all ids; then the records, a line each

`connectors.evtx_process` runs this as a script. It imports little, so it is there in 50 ms. An alarm is always set, and
its signal ends the process even inside native code: when a chunk takes too long, or the parent is gone.
"""

from __future__ import annotations

import io
import resource
import signal
import struct
import sys
import zlib
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from evtx import PyEvtxParser

CHUNK = 65536
READY = b"R"  # said once, when the parser is loaded
REQUEST = struct.Struct("<Id")
COUNT, PART = struct.Struct("<I"), struct.Struct("<HHI")
MOST = CHUNK // 28  # records, or errors, of one chunk: no record is smaller
TEXT = 16 << 20  # JSON out of one chunk; an honest one gives some 200 KiB
ANSWER = 4 * TEXT  # at this size the chunks that are left wait for the next request
MEMORY = 2 << 30
ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)}
IDLE = 60.0  # seconds to wait for a request, or for the parent to take an answer


@dataclass(slots=True)
class Parsed:
    """What one chunk holds."""

    texts: list[str] = field(default_factory=list)
    ids: array[int] = field(default_factory=lambda: array("Q"))
    errors: int = 0


def _file_header() -> bytes:
    fields = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, 0, 1, 128, 1, 3, 4096, 1).ljust(120, b"\0")
    return (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(4096, b"\0")


FILE_HEADER = _file_header()


def parse(chunk: bytes) -> Parsed:
    """Return the records of a chunk; what is beyond a limit counts as one error."""
    found, size = Parsed(), 0
    events = PyEvtxParser(io.BytesIO(FILE_HEADER + chunk), number_of_threads=1).records_json()
    while found.errors < MOST:  # a parser that fails without moving on must not go round for ever
        try:
            event = next(events, None)
        except (RuntimeError, OSError, ValueError):
            found.errors += 1
            continue
        if event is None:
            break
        size += len(event["data"])
        if size > TEXT or len(found.texts) == MOST:
            found.errors += 1
            break
        found.texts.append(event["data"])
        found.ids.append(event["event_record_id"])
    return found


def lines(texts: list[str]) -> bytes:
    """Return the records, a line each; the parser leaves names as they are, so a damaged one may break the line."""
    joined = "\n".join(texts)
    if texts and joined.count("\n") >= len(texts):
        joined = "\n".join(text.translate(ESCAPES) for text in texts)
    return joined.encode()


def answer(chunks: list[bytes], seconds: float, parse: Callable[[bytes], Parsed]) -> list[bytes]:
    """Return the answer to a request in pieces; it may be about fewer chunks than were asked for."""
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
    return [COUNT.pack(len(parts)), *parts, *ids, *texts]


def serve(parse: Callable[[bytes], Parsed] = parse) -> None:
    """Answer requests until there are no more."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    while True:
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, IDLE)
        head = requests.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        count, seconds = REQUEST.unpack(head)
        pieces = answer([requests.read(CHUNK) for _ in range(count)], seconds, parse)
        signal.setitimer(signal.ITIMER_REAL, IDLE)
        answers.writelines(pieces)


def confine() -> None:
    """Give up the means to take the machine along."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # a limit that is tighter already stays; macOS knows no RLIMIT_AS
            resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})  # a mask outlives exec


if __name__ == "__main__":
    confine()
    serve()
