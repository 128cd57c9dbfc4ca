"""Many log lines in one Kafka record.

    headers   soc-envelope: 1
    value     {"v":1,"id":7313…,"received":1767225599000,"origin":"col01/udp:10.0.0.7",
               "from":{"agent.name":"col01","input.type":"udp","log.source.address":"10.0.0.7"},
               "lines":["<38>Jan  5 …", …]}

One record per line costs Kafka clients in Python ten times more than the line itself; an envelope spreads that cost.
An `id` names the envelope for ever: sent twice, its lines are the same events. Without one its place in the topic does.
`received` is when its first line came, in milliseconds since 1970. `origin` names the sender, whose lines stay in
order; `from` tells the same in columns of events. A record without the header is one line of a foreign shipper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from detectors.errors import InputError
from detectors.schema import ORIGIN

HEADER = "soc-envelope"
VERSION = 1

# A broker takes records up to 1,048,588 bytes unless told otherwise; the rest is room for headers and framing.
MAX_BYTES = 900_000
MAX_LINES = 10_000
MAX_ORIGIN = 1_024
MAX_ID = 2**63 - 1
LATEST = 253_402_300_800_000  # the year 10000
MAX_NAME = 64  # characters of a sender's own name

TOLD: Final = tuple(name for name in ORIGIN if name != "event.created")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a collector had lines from."""

    input: str  # udp, tcp, tls, http, file, folder, stdin
    address: str = ""
    path: str = ""
    name: str = ""  # of the sender's certificate, or of the token's holder
    agent: str = ""  # the collector's host

    def __str__(self) -> str:
        """Name it: equal for equal places, short enough for an envelope."""
        name = f"[{self.name}]" if self.name else ""
        return f"{self.agent}/{self.input}:{self.address or self.path}{name}"[:MAX_ORIGIN]

    @property
    def told(self) -> tuple[str, ...]:
        """Return what stands in the columns TOLD."""
        return (self.agent, self.input, self.address, self.path[:MAX_ORIGIN], self.name)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Lines in the order their shipper read them; `origin` is what the shipper calls the place."""

    origin: str
    lines: tuple[str, ...]
    id: int | None = None
    received: int = 0  # milliseconds since 1970; 0: not told
    told: tuple[str | None, ...] = (None,) * len(TOLD)  # what stands in the columns TOLD


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that fits into no envelope, with its number among the lines given."""

    number: int
    line: str


def pack(
    lines: Iterable[str], origin: str | Origin, *, names: Callable[[], int] | None = None, received: int = 0
) -> Iterator[bytes | TooLong]:
    """Yield envelope values of at most MAX_BYTES, in order; a line too long for any comes out by itself.

    `names` gives each envelope its id.
    """
    place = b'"origin":%b,%b"lines":[' % (text(str(origin)[:MAX_ORIGIN]), _from(origin))
    room = MAX_BYTES - len(_head(MAX_ID if names else None, received)) - len(place) - len(b"]}")
    held: list[bytes] = []
    size = 0
    for number, line in enumerate(lines):
        value = text(line)
        full = size + len(value) + 1 > room or len(held) == MAX_LINES
        if held and full:
            yield _head(names() if names else None, received) + place + b",".join(held) + b"]}"
            held, size = [], 0
        if len(value) > room:
            yield TooLong(number, line)
            continue
        held.append(value)
        size += len(value) + 1
    if held:
        yield _head(names() if names else None, received) + place + b",".join(held) + b"]}"


def _from(origin: str | Origin) -> bytes:
    if not isinstance(origin, Origin):
        return b""
    told = (text(name) + b":" + text(value) for name, value in zip(TOLD, origin.told, strict=True) if value)
    return b'"from":{%b},' % b",".join(told)


def _head(name: int | None, received: int) -> bytes:
    told = b'"id":%d,' % name if name is not None else b""
    told += b'"received":%d,' % received if received else b""
    return b'{"v":%d,%b' % (VERSION, told)


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
    name, received = found.get("id"), found.get("received", 0)
    if name is not None and (not isinstance(name, int) or not 0 <= name <= MAX_ID):
        raise InputError("the envelope's id isn't a whole number of at most 63 bits")
    if not isinstance(received, int) or not 0 <= received < LATEST:
        raise InputError("the envelope's time of receipt isn't milliseconds since 1970")
    return Envelope(origin, tuple(lines), name, received, _told(found.get("from", {})))


def _told(found: object) -> tuple[str | None, ...]:
    values: list[str | None] = []
    for name in TOLD:
        value = found.get(name) if isinstance(found, dict) else 0
        if value is not None and not (isinstance(value, str) and len(value) <= MAX_ORIGIN):
            raise InputError(f"what the envelope is from isn't texts of at most {MAX_ORIGIN} characters")
        values.append(value)
    return tuple(values)


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
