"""A collector wired: inputs → gathering → spool → Kafka, until told to stop.

SIGTERM: hear nobody any more → write what is held → send what Kafka takes → keep the rest and all positions
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from connectors.collect.gathering import Gathering, Protect
from connectors.collect.happenings import SOURCE, Happenings
from connectors.collect.numbers import Numbers
from connectors.collect.shipping import Shipping
from connectors.collect.spool import Spool
from connectors.collect.standard_input import StandardInput
from connectors.collect.stream import StreamInput
from connectors.envelope import Origin
from connectors.kafka.writer import Outbox
from detectors.errors import UnavailableError, UsageError
from flows.collecting.inputs import Inputs, Listener, Reader
from flows.collecting.needs import check
from flows.running import kafka
from flows.settings import Settings

BUDGET: Final = 4 << 20  # bytes taken from files before others have a turn
REST: Final = 0.5  # seconds between two looks at files that gave nothing
KAFKA: Final = 10.0  # seconds to wait for an answer of the brokers
LAST: Final = 20.0  # seconds in which Kafka may take what is left when we stop
PRIVILEGE: Final = "choose a port above 1023, or give the program CAP_NET_BIND_SERVICE"
OCCUPIED: Final = "`ss -lntup` shows whether another program is there; a collector that runs holds its ports itself"

Say = Callable[[str], object]


class Collector:
    """Everything one collector does.

    Args:
        protect: what is done to the lines of a source before they are written anywhere.
        standard_input: the source of the lines of stdin; with it the collector ends where stdin does.

    Raises:
        UsageError: the settings can't be used as they are.
    """

    def __init__(self, settings: Settings, say: Say, protect: Protect, standard_input: str | None = None) -> None:
        self._settings, self._say = settings.collect, say
        check(settings, [standard_input] if standard_input else [])
        self.spool = Spool(self._settings.spool, self._settings.spool_bytes, lambda fault: say(str(fault)))
        host = socket.gethostname()
        self.gathering = Gathering(self.spool, Numbers(), protect, host)
        self.happenings = Happenings(host, partial(self.gathering.take, SOURCE, Origin(SOURCE)))
        connection = replace(kafka(settings), patience=KAFKA)
        self.shipping = Shipping(self.spool, lambda: Outbox(connection), say)
        inputs = Inputs(self._settings, self.gathering, self.happenings)
        self.listeners = inputs.listeners(self.durable)
        self.readers = inputs.readers(self.spool.marks, standard_input)
        self._stopping = asyncio.Event()
        self._syncing = asyncio.Lock()
        self._told = (0, time.monotonic())

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping.set()

    async def run(self) -> None:
        """Collect until stopped."""
        self._handle_signals()
        self.shipping.start()
        try:
            for listener in self.listeners:
                await _begin(listener)
                self._say(f"listening: {listener.intake.place}")
            following = [asyncio.create_task(self._follow(reader)) for reader in self.readers]
            for task in following:
                task.add_done_callback(lambda _: self.stop())  # stdin has ended, or something is broken
            await self._keep_writing()
            await asyncio.gather(*following)
        finally:
            await self._end()

    async def durable(self) -> bool:
        """Return when the disk has everything taken so far; whether it could."""
        if not self.gathering.write():
            return False
        async with self._syncing:  # those who wait here are served by the sync of the one before
            with suppress(UnavailableError):
                await asyncio.to_thread(self.spool.sync)
                return True
        return False

    def progress(self) -> str:
        """Return a line for people: what came since the last one, and where it is."""
        lines, at = self._told
        now = time.monotonic()
        self._told = (self.gathering.lines, now)
        fresh = self.gathering.lines - lines
        senders = sum(len(each.by_sender) for each in self.listeners if isinstance(each, StreamInput))
        refused = {name: count for each in self.listeners for name, count in each.intake.counts.items()}
        parts = [f"{fresh:,} lines ({fresh / max(now - at, 0.001):,.0f}/s), {self.gathering.lines:,} since start"]
        parts += [f"{senders:,} TCP senders"] if senders else []
        parts += [f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(refused.items())]
        parts.append(self._waiting())
        return ", ".join(parts)

    def _waiting(self) -> str:
        if self.gathering.trouble is not None:
            return str(self.gathering.trouble)
        held = f"{self.spool.waiting / 1e6:,.1f} MB of {self.spool.limit / 1e6:,.0f} MB wait in the spool"
        full = "; it is full: senders have to wait" if self.spool.full else ""
        if self.shipping.trouble is not None:
            return f"Kafka is away, {held}{full}"
        return f"{held}{full}" if self.spool.waiting else "Kafka has all of them"

    async def _keep_writing(self) -> None:
        report, sync = time.monotonic() + self._settings.report_every, 0.0
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._settings.write_every)
            now = time.monotonic()
            for listener in self.listeners:
                listener.tick(now)
            if self.spool.full:
                told = "the spool is full; senders that can wait do, datagrams are refused"
                self.happenings.note("spool_full", "spool", told, now=now)
            self.happenings.tell(now)
            self.gathering.write()
            if now >= sync:
                sync = now + 1.0
                await self.durable()
                await asyncio.to_thread(self._keep_state)
            if now >= report:
                report = now + self._settings.report_every
                self._say(self.progress())

    def _keep_state(self) -> None:
        with suppress(UnavailableError):  # what writes lines tells of it
            self.spool.keep_state()

    async def _follow(self, reader: Reader) -> None:
        """Take what files give, as long as there is room for it."""
        while not self._stopping.is_set():
            if self.gathering.full:
                await asyncio.sleep(REST)
                continue
            pieces = await asyncio.to_thread(reader.poll, BUDGET)
            for piece in pieces:
                self.gathering.take(piece.source, piece.origin, piece.lines, piece.marks)
            if isinstance(reader, StandardInput):
                if reader.ended:
                    return
            elif not pieces:
                await asyncio.sleep(REST)

    async def _end(self) -> None:
        self._say("stopping")
        for listener in self.listeners:
            await listener.stop()
        self.happenings.tell(time.monotonic(), last=True)
        await self.durable()
        await asyncio.to_thread(self.shipping.stop, LAST)
        for reader in self.readers:
            reader.close()
        left = self.spool.waiting
        self.spool.close()
        rest = f"{left / 1e6:,.1f} MB wait in the spool for the next start" if left else "Kafka has all of them"
        self._say(f"stopped after {self.gathering.lines:,} lines; {rest}")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._stopping.set)


async def _begin(listener: Listener) -> None:
    intake = listener.intake
    try:
        await listener.start()
    except OSError as error:
        fix = PRIVILEGE if isinstance(error, PermissionError) else OCCUPIED
        raise UsageError(f"{intake.place} can't be listened to: {error.strerror}", fix=fix) from error
