"""Many log lines in one Kafka record.

    headers   soc-envelope: 1
    value     {"v":1,"origin":"syslog:10.0.0.7","lines":["<38>Jan  5 …","<38>Jan  5 …"]}

One record per line costs Kafka clients in Python ten times more than the line itself; an envelope spreads that cost.
A record without the header is one line of a foreign shipper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from detectors.errors import InputError

HEADER = "soc-envelope"
VERSION = 1

# A broker takes records up to 1,048,588 bytes unless told otherwise; the rest is room for headers and framing.
MAX_BYTES = 900_000
MAX_LINES = 10_000
MAX_ORIGIN = 1_024


@dataclass(frozen=True, slots=True)
class Envelope:
    """Lines in the order their shipper read them; `origin` is what the shipper calls the place."""

    origin: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that fits into no envelope, with its number among the lines given."""

    number: int
    line: str


def pack(lines: Iterable[str], origin: str) -> Iterator[bytes | TooLong]:
    """Yield envelope values of at most MAX_BYTES, in order; a line too long for any comes out by itself."""
    head = b'{"v":%d,"origin":%b,"lines":[' % (VERSION, text(origin[:MAX_ORIGIN]))
    room = MAX_BYTES - len(head) - len(b"]}")
    held: list[bytes] = []
    size = 0
    for number, line in enumerate(lines):
        value = text(line)
        full = size + len(value) + 1 > room or len(held) == MAX_LINES
        if held and full:
            yield head + b",".join(held) + b"]}"
            held, size = [], 0
        if len(value) > room:
            yield TooLong(number, line)
            continue
        held.append(value)
        size += len(value) + 1
    if held:
        yield head + b",".join(held) + b"]}"


def unpack(value: bytes) -> Envelope:
    """Read an envelope; raise InputError with the reason if it isn't one."""
    found = _parse(value)
    if found.get("v") != VERSION:
        raise InputError(f"envelope version {found.get('v')!r:.20} is unknown", fix=f"send version {VERSION}")
    origin, lines = found.get("origin"), found.get("lines")
    if not isinstance(origin, str) or len(origin) > MAX_ORIGIN:
        raise InputError(f"the envelope's origin isn't a text of at most {MAX_ORIGIN} characters")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError("the envelope's lines aren't a list of texts")
    if len(lines) > MAX_LINES:
        raise InputError(f"the envelope holds {len(lines):,} lines", fix=f"send at most {MAX_LINES:,}")
    return Envelope(origin, tuple(lines))


def _parse(value: bytes) -> dict[str, object]:
    if len(value) > MAX_BYTES:
        raise InputError(f"the envelope has {len(value):,} bytes", fix=f"send at most {MAX_BYTES:,}")
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the envelope isn't JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError("the envelope isn't a JSON object")
    return found


def text(line: str) -> bytes:
    """Return the line as a JSON string."""
    try:
        return orjson.dumps(line)
    except orjson.JSONEncodeError:
        return orjson.dumps(words(line))


def words(line: str) -> str:
    r"""Return the line with halves of surrogate pairs, which UTF-8 has no bytes for, in words: `\udc80`."""
    return line.encode("utf-8", "backslashreplace").decode()
