r"""Syslog over TCP and TLS (RFC 6587, 5425), from thousands of senders.

    "83 <34>1 2026-03-02T08:15:00+07:00 fw01 …"    or    "<34>Mar  2 08:15:00 fw01 …\n"

A sender that sends more than it may is not read for a while, and so is everybody while the spool is full: TCP makes
them wait, and nothing is lost. A message that doesn't end in time is taken as far as it came, and its sender is hung up
on.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from dataclasses import replace
from typing import Final, cast

from connectors.collect.framing import Framer
from connectors.collect.intake import HANDSHAKE, Intake
from connectors.collect.senders import plain_text
from connectors.envelope import MAX_NAME, Origin

LAST: Final = 0.1  # seconds in which what has arrived is read before we hang up
UNFINISHED: Final = 64 << 20  # bytes of messages whose ends haven't come, of all senders together


class StreamInput:
    """Listens for senders."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.streams: set[Stream] = set()
        self.by_sender: Counter[str] = Counter()
        self.unfinished = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address can't be had."""
        address = self.intake.address
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Stream(self), address.host, address.port, backlog=4096)

    @property
    def port(self) -> int:
        """The port it listens on, chosen by the system where 0 was asked for."""
        if self._server is None:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    def tick(self, now: float) -> None:
        """Let those go on who had to wait for room, and hang up on those whose message doesn't end."""
        for stream in list(self.streams):
            stream.tick(now)

    def hold(self) -> None:
        """Make every sender wait."""
        for stream in self.streams:
            stream.pause()

    async def stop(self) -> None:
        """Take what the kernel holds, and hear nobody any more; what was begun is taken as far as it came."""
        if self._server is not None:
            self._server.close()
        if not self.intake.gathering.full:
            for stream in self.streams:
                stream.go_on()
            await asyncio.sleep(LAST)
        for stream in list(self.streams):
            stream.close()
        for _ in range(100):
            if not self.streams:
                break
            await asyncio.sleep(0.02)


class Stream(asyncio.Protocol):
    """One sender's connection."""

    def __init__(self, owner: StreamInput) -> None:
        self._owner, self._intake = owner, owner.intake
        self._framer = Framer(self._intake.longest)
        self._transport: asyncio.Transport | None = None
        self._sender = self._source = ""
        self._origin = Origin("tcp" if self._intake.secure is None else "tls")
        self._securing: asyncio.Task[None] | None = None
        self._since = 0.0  # when the message began that is still to end; 0: there is none
        self._until = 0.0  # when the sender may go on
        self._paused = False
        self._cut = self._held = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look who comes; a second time when the connection is secure."""
        self._transport = cast("asyncio.Transport", transport)
        if self._securing is not None:
            return
        self._sender = plain_text((transport.get_extra_info("peername") or ("?",))[0])
        owner, intake = self._owner, self._intake
        if len(owner.streams) >= intake.connections or owner.by_sender[self._sender] >= intake.of_one:
            intake.note("connection_refused", "too many connections at once", self._sender)
            self._transport.abort()
            return
        source = intake.source(self._sender)
        if source is None:
            self._transport.abort()
            return
        self._source, self._origin = source, replace(self._origin, address=self._sender)
        owner.streams.add(self)
        owner.by_sender[self._sender] += 1
        if intake.secure is not None:
            self._transport.pause_reading()  # what comes now belongs to TLS
            self._securing = asyncio.get_running_loop().create_task(self._secured(self._transport, intake.secure))

    def data_received(self, data: bytes) -> None:
        """Take the messages that are whole now."""
        lines = self._framer.feed(data)
        self._count_held()
        if self._owner.unfinished > UNFINISHED:
            lines += self._framer.shed()
            self._count_held()
        now = time.monotonic()
        if lines or not self._framer.pending:
            self._since = 0.0
        if self._framer.pending and not self._since:
            self._since = now
        self._take(lines)
        wait = self._intake.limit.owe(self._sender, len(lines), now)
        if wait > 0:
            self._until = now + wait
            self._intake.note("rate_limited", "sends more than it may; it is read more slowly", self._sender)
            self.pause()
        if self._intake.gathering.full:
            self._owner.hold()

    def eof_received(self) -> None:
        """Hang up as well."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the signature is asyncio's
        """Take what is left, and forget the sender."""
        if self not in self._owner.streams:
            return
        self._take(self._framer.end())
        self._count_held()
        self._tell_cut()
        self._owner.streams.discard(self)
        self._owner.by_sender[self._sender] -= 1
        if not self._owner.by_sender[self._sender]:
            del self._owner.by_sender[self._sender]

    def pause(self) -> None:
        """Don't read for now."""
        if self._transport is not None and not self._paused and not self._handshaking:
            self._paused = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._since = time.monotonic() if self._since else 0.0  # it couldn't end while nobody read
            self._transport.resume_reading()

    def tick(self, now: float) -> None:
        """Read on when there is room and the sender may; hang up on a message that doesn't end."""
        if self._paused and now >= self._until and not self._intake.gathering.full:
            self.go_on()
        if self._since and not self._paused and now - self._since > self._intake.patience:
            self._intake.note(
                "message_unfinished", "a message didn't end in time; its sender is hung up on", self._sender
            )
            self.close()
        self._tell_cut()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort() if self._handshaking else self._transport.close()

    @property
    def _handshaking(self) -> bool:
        return self._securing is not None and not self._securing.done()

    async def _secured(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE, ssl_shutdown_timeout=1.0
            )
        except OSError as error:  # of which SSLError is one
            reason = getattr(error, "reason", "") or str(error) or "it hung up"
            self._intake.note("tls_refused", f"no TLS with this sender: {reason}", self._sender)
            transport.abort()
            self.connection_lost(None)
            return
        if secured is None:
            self.connection_lost(None)
            return
        self._transport = secured
        self._origin = replace(self._origin, name=_subject(secured))

    def _take(self, lines: list[bytes]) -> None:
        if lines:
            self._intake.gathering.take(self._source, self._origin, lines)

    def _count_held(self) -> None:
        held = self._framer.held
        self._owner.unfinished += held - self._held
        self._held = held

    def _tell_cut(self) -> None:
        if self._framer.cut > self._cut:
            left_out, self._cut = self._framer.cut - self._cut, self._framer.cut
            told = f"a message beyond {self._intake.longest:,} bytes; `count` bytes of its end were left out"
            self._intake.note("message_cut", told, self._sender, left_out)


def _subject(transport: asyncio.Transport) -> str:
    """Return the common name of a sender's certificate, nothing where none was asked for."""
    certificate = transport.get_extra_info("peercert") or {}
    names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return names[0][:MAX_NAME] if names else ""
