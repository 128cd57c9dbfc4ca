"""Lines by HTTP: one request, many lines, answered when they are safe on disk.

    POST /portal HTTP/1.1
    Authorization: Bearer <token>
    Content-Encoding: gzip            (or none)

    {"time": "2026-03-02T08:15:00+07:00", …}
    {"time": "2026-03-02T08:15:01+07:00", …}

The path names the source. 200 {"accepted": 2}; 401 no such token; 404 no such source here; 413 too large; 429 come
again after so many seconds: the sender's rate, or the spool is full; 503 the disk takes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NoReturn

import h11
import orjson

from connectors.collect.framing import STRIPPED
from connectors.collect.intake import HANDSHAKE, Intake
from connectors.collect.senders import plain_text
from connectors.envelope import Origin

HEAD: Final = 16 << 10  # bytes of a request before its body
STEP: Final = 64 << 10
BODIES: Final = 16  # read at once
FIRST: Final = 10.0  # seconds a new connection may take for the head of its first request
IDLE: Final = 60.0  # seconds a connection of which a request was taken may wait for its next
AGAIN: Final = 5  # seconds after which a sender should try once more while the spool is full

Event = h11.Request | h11.Data | h11.EndOfMessage | h11.ConnectionClosed


class Refusal(Exception):  # noqa: N818  # it is an answer, not a fault of ours
    """An answer that isn't 200."""

    def __init__(self, status: HTTPStatus, message: str, *, again: float = 0.0) -> None:
        super().__init__(message)
        self.status, self.message, self.again = status, message, again


@dataclass(frozen=True, slots=True)
class Access:
    """Who may send what: tokens by the name of their holder, and the sources that may be named."""

    tokens: dict[str, str]
    sources: Collection[str]
    body: int = 8 << 20  # bytes of a request, packed and unpacked

    def holder(self, header: bytes) -> str | None:
        """Return whose token this is, in a time that tells nothing of the tokens."""
        kind, _, token = header.partition(b" ")
        shown = hashlib.sha256(token.strip()).digest()
        found = None
        for name, known in self.tokens.items():
            if hmac.compare_digest(shown, hashlib.sha256(known.encode()).digest()) and kind.lower() == b"bearer":
                found = name
        return found


class HttpInput:
    """Listens for requests; `durable` returns when the disk has what was taken."""

    def __init__(self, intake: Intake, access: Access, durable: Callable[[], Awaitable[bool]]) -> None:
        self.intake = intake
        self._access, self._durable = access, durable
        self._bodies = asyncio.Semaphore(BODIES)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_sender = Counter[str]()
        self._stopping = False

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address can't be had."""
        intake = self.intake
        self._server = await asyncio.start_server(
            self._connected,
            intake.address.host,
            intake.address.port,
            limit=STEP,
            ssl=intake.secure,
            ssl_handshake_timeout=HANDSHAKE if intake.secure else None,
        )

    @property
    def port(self) -> int:
        """The port it listens on, chosen by the system where 0 was asked for."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    def tick(self, now: float) -> None:
        """Do nothing: every wait here has an end of its own."""

    async def stop(self) -> None:
        """Answer what is being asked, and hear nobody any more."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, sender = asyncio.current_task(), plain_text((writer.get_extra_info("peername") or ("?",))[0])
        full = len(self._tasks) >= self.intake.connections or self._by_sender[sender] >= self.intake.of_one
        if task is None or full:
            self.intake.note("connection_refused", "too many connections at once", sender)
            writer.transport.abort()
            return
        self._tasks.add(task)
        self._by_sender[sender] += 1
        try:
            await _Conversation(reader, writer, sender, self._answer).run(lambda: self._stopping)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # gone, or too slow; a request without an answer is sent again
        finally:
            self._tasks.discard(task)
            self._by_sender -= Counter((sender,))  # forgets whom it counts no more
            writer.transport.abort() if self._stopping else writer.close()

    async def _answer(self, request: h11.Request, sender: str, body: Callable[[int], Awaitable[bytes]]) -> bytes:
        """Take the lines of a request; raise Refusal if they can't be taken."""
        intake, headers = self.intake, dict(request.headers)
        holder = self._access.holder(headers.get(b"authorization", b""))
        if holder is None:
            intake.note("token_refused", "a request without a token that is known here", sender)
            raise Refusal(HTTPStatus.UNAUTHORIZED, "send `Authorization: Bearer TOKEN` with a token known here")
        if request.method != b"POST":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "POST lines to /SOURCE")
        source = request.target.partition(b"?")[0].decode("latin-1").strip("/")
        if source not in self._access.sources:
            raise Refusal(HTTPStatus.NOT_FOUND, f"this endpoint takes {', '.join(sorted(self._access.sources))}")
        if intake.source(sender) is None:
            raise Refusal(HTTPStatus.FORBIDDEN, "this address may not send here")
        self._check_room(sender)
        async with self._bodies:
            data = _unpacked(await body(self._access.body), headers.get(b"content-encoding", b""), self._access.body)
        lines = [line for part in data.split(b"\n") if (line := part.rstrip(STRIPPED))]
        self._check_room(sender)
        intake.limit.owe(sender, len(lines), time.monotonic())
        intake.gathering.take(source, Origin("http", sender, name=holder), lines)
        if not await self._durable():
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the disk takes nothing now", again=AGAIN)
        return orjson.dumps({"accepted": len(lines)})

    def _check_room(self, sender: str) -> None:
        intake = self.intake
        wait = intake.limit.owe(sender, 0, time.monotonic())
        if wait > 0:
            intake.note("rate_limited", "sends more than it may; it is told to come again", sender)
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "more lines than this address may send", again=wait)
        if intake.gathering.full:
            intake.note("requests_postponed", "the spool is full: senders are told to come again", sender)
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "the spool is full", again=AGAIN)


class _Conversation:
    """Requests and answers on one connection (HTTP/1.1 by h11, which bounds and checks what is read)."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sender: str,
        answer: Callable[[h11.Request, str, Callable[[int], Awaitable[bytes]]], Awaitable[bytes]],
    ) -> None:
        self._reader, self._writer, self._sender, self._answer = reader, writer, sender, answer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Answer until somebody hangs up."""
        patience = FIRST
        while not stopping():
            request = await asyncio.wait_for(self._event(), patience)
            patience = IDLE
            if not isinstance(request, h11.Request):
                return
            try:
                reply = await self._answer(request, self._sender, self._body)
                await self._reply(HTTPStatus.OK, reply)
            except Refusal as refusal:
                again = [("Retry-After", str(max(1, round(refusal.again))))] if refusal.again else []
                await self._reply(refusal.status, orjson.dumps({"error": refusal.message}), again)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return  # a body that nobody wants is not read
            self._http.start_next_cycle()

    async def _event(self) -> object:
        while (event := self._next()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(STEP))
        return event

    def _next(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise TimeoutError(str(error)) from error  # not HTTP: hang up

    async def _body(self, limit: int) -> bytes:
        found = bytearray()  # of many parts: some send a byte at a time
        async with asyncio.timeout(HANDSHAKE * 3):
            while isinstance(event := await self._event(), h11.Data):
                found += event.data
                if len(found) > limit:
                    _too_large(limit)
        if not isinstance(event, h11.EndOfMessage):
            raise TimeoutError("hung up in the middle of a request")
        return bytes(found)

    async def _reply(self, status: HTTPStatus, body: bytes, more: list[tuple[str, str]] | None = None) -> None:
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *(more or [])]
        with suppress(h11.LocalProtocolError):
            await self._send(h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()))
            await self._send(h11.Data(data=body))
            await self._send(h11.EndOfMessage())

    async def _send(self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage) -> None:
        self._writer.write(self._http.send(event) or b"")
        await asyncio.wait_for(self._writer.drain(), HANDSHAKE)


def _unpacked(data: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding.lower() in (b"", b"identity"):
        return data
    if encoding.lower() != b"gzip":
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "only gzip is unpacked here")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"not gzip: {error}") from error
    if len(found) > limit:
        _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the gzip data is cut off, or more follows it")
    return found


def _too_large(limit: int) -> NoReturn:
    raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {limit:,} bytes at once, unpacked as well")
