"""Syslog over UDP (RFC 5426): one message, one datagram.

    <34>Mar  2 08:15:00 fw01 …

Nobody can be made to wait here: what is beyond a sender's rate, or comes while the spool is full, is refused and
counted, and so is what the kernel dropped because it came too fast. An address may be forged: trust it as far as the
network.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from pathlib import Path
from typing import Final

from connectors.collect.framing import STRIPPED
from connectors.collect.intake import Intake
from connectors.collect.senders import plain_text
from connectors.envelope import Origin

SIZE: Final = 65_535
AT_ONCE: Final = 1_000  # datagrams read before others have a turn
BUFFER: Final = 32 << 20  # bytes the kernel is asked to hold for us
SO_RCVBUFFORCE: Final = 33  # Linux: beyond net.core.rmem_max, for those who may


class DatagramInput:
    """Listens for datagrams."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self._socket: socket.socket | None = None
        self._dropped = 0

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address can't be had."""
        address = self.intake.address
        loop = asyncio.get_running_loop()
        family, kind, protocol, _, place = (
            await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setblocking(False)
            _enlarge(listening)
            listening.bind(place)
        except OSError:
            listening.close()
            raise
        self._socket = listening
        loop.add_reader(listening.fileno(), self._read, listening)

    @property
    def port(self) -> int:
        """The port it listens on, chosen by the system where 0 was asked for."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def tick(self, now: float) -> None:  # noqa: ARG002  # as other inputs have it
        """Tell what the kernel dropped."""
        if self._socket is None:
            return
        dropped = _dropped(self._socket)
        if dropped > self._dropped:
            self.intake.note(
                "datagrams_dropped", "datagrams came faster than they could be read", "", dropped - self._dropped
            )
        self._dropped = dropped

    async def stop(self) -> None:
        """Take what the kernel holds, and hear nobody any more."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        while self._read(self._socket):
            pass
        self.tick(0.0)
        self._socket.close()
        self._socket = None

    def _read(self, listening: socket.socket) -> bool:
        """Read some datagrams; say whether there may be more."""
        taken: dict[str, list[bytes]] = {}
        more = True
        for _ in range(AT_ONCE):
            try:
                data, sender = listening.recvfrom(SIZE)
            except BlockingIOError:
                more = False
                break
            except OSError:
                continue  # an ICMP error that somebody sent to this socket
            if message := data.rstrip(STRIPPED):
                taken.setdefault(sender[0], []).append(message)
        now = time.monotonic()
        for address, messages in taken.items():
            self._take(plain_text(address), messages, now)
        return more

    def _take(self, sender: str, messages: list[bytes], now: float) -> None:
        intake = self.intake
        source = intake.source(sender)
        if source is None:
            return
        if intake.gathering.full:
            intake.note("lines_refused", "the spool is full: datagrams are refused", sender, len(messages))
            return
        granted = intake.limit.take(sender, len(messages), now)
        if granted < len(messages):
            refused = len(messages) - granted
            intake.note("rate_limited", "sends more than it may; what is beyond is refused", sender, refused)
        if granted:
            intake.gathering.take(
                source, Origin("udp", sender), [each[: intake.longest] for each in messages[:granted]]
            )


def _enlarge(listening: socket.socket) -> None:
    """Ask the kernel to hold many datagrams while we are busy."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    try:
        listening.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    except OSError:
        return  # what net.core.rmem_max allows has to do


def _dropped(listening: socket.socket) -> int:
    """Return how many datagrams the kernel dropped; 0 where it doesn't tell."""
    inode = str(os.fstat(listening.fileno()).st_ino)
    table = Path("/proc/net/udp6" if listening.family == socket.AF_INET6 else "/proc/net/udp")
    try:
        rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    except OSError:
        return 0
    return next((int(row[-1]) for row in rows if len(row) > 12 and row[9] == inode), 0)
