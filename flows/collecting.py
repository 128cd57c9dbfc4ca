"""`soc collect` wired: inputs → gathering → spool → Kafka, until told to stop.

SIGTERM: hear nobody any more → write what is held → send what Kafka takes → keep the rest and all positions
"""

from __future__ import annotations

import asyncio
import glob
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from connectors.collect import tls
from connectors.collect.datagrams import DatagramInput
from connectors.collect.folder import Folders, Watched
from connectors.collect.gathering import Gathering, Protect
from connectors.collect.happenings import SOURCE, Happenings
from connectors.collect.http import Access, HttpInput
from connectors.collect.intake import Address, Intake
from connectors.collect.limit import RateLimit
from connectors.collect.numbers import Numbers
from connectors.collect.piece import Piece
from connectors.collect.senders import Senders
from connectors.collect.shipping import Shipping
from connectors.collect.spool import Spool
from connectors.collect.standard_input import StandardInput
from connectors.collect.stream import StreamInput
from connectors.collect.tail import Pattern, Tail
from connectors.definitions import BUILT_IN, load_definitions
from connectors.envelope import Origin
from connectors.kafka.writer import Outbox
from detectors.errors import Place, UnavailableError, UsageError
from detectors.sigma.nearest import nearest
from flows import assembly, protecting
from flows.collection import Collect, Http, Syslog
from flows.running import kafka
from flows.settings import Settings
from flows.terminal import plain

BUDGET: Final = 4 << 20  # bytes taken from files before others have a turn
REST: Final = 0.5  # seconds between two looks at files that gave nothing
KAFKA: Final = 10.0  # seconds to wait for an answer of the brokers
LAST: Final = 20.0  # seconds in which Kafka may take what is left when we stop
PRIVILEGE: Final = "choose a port above 1023, or give the program CAP_NET_BIND_SERVICE"
OCCUPIED: Final = "`ss -lntup` shows whether another program is there; a collector that runs holds its ports itself"
HANDLES: Final = 1_000  # open files beside those of senders and those that are followed

Say = Callable[[str], object]


class Listener(Protocol):
    """An input of the network."""

    intake: Intake

    async def start(self) -> None: ...

    @property
    def port(self) -> int: ...

    def tick(self, now: float) -> None: ...

    async def stop(self) -> None: ...


class Reader(Protocol):
    """An input that is asked: files, folders, the standard input. `poll` is called in a thread."""

    def poll(self, budget: int) -> list[Piece]: ...

    def close(self) -> None: ...


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
        self.listeners = [*self._syslog(), *self._http()]
        self.readers = self._readers(standard_input)
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

    def _intake(self, place: str, listener: Syslog | Http, senders: Senders) -> Intake:
        rate = self._settings.rate if listener.rate is None else listener.rate
        host, port = listener.address
        secure = None
        if listener.certificate is not None and listener.key is not None:
            secure = tls.context(listener.certificate, listener.key, listener.clients)
        return Intake(
            place=f"{place} {listener.listen}",
            address=Address(host, port),
            senders=senders,
            limit=RateLimit(rate, self._settings.burst),
            gathering=self.gathering,
            happenings=self.happenings,
            secure=secure,
        )

    def _syslog(self) -> list[Listener]:
        made: list[Listener] = []
        for each in self._settings.syslog:
            intake = self._intake(f"syslog {each.transport}", each, Senders(each.senders, each.source))
            intake = replace(intake, connections=each.connections, of_one=each.of_one)
            made.append(DatagramInput(intake) if each.transport == "udp" else StreamInput(intake))
        return made

    def _http(self) -> list[Listener]:
        http = self._settings.http
        if http is None:
            return []
        intake = replace(
            self._intake(
                "http", http, Senders(dict.fromkeys(http.networks, "http"), None if http.networks else "http")
            ),
            connections=http.connections,
            of_one=http.of_one,
        )
        return [HttpInput(intake, Access(tokens(http), http.sources, http.body), self.durable)]

    def _readers(self, standard_input: str | None) -> list[Reader]:
        settings, marks, made = self._settings, self.spool.marks, list[Reader]()
        if settings.files:
            patterns = [Pattern(each.path, each.source, each.from_end, each.links) for each in settings.files]
            made.append(Tail(patterns, marks, partial(self._note, "files")))
        if settings.folders:
            watched = [Watched(each.path, each.source, each.pattern) for each in settings.folders]
            made.append(Folders(watched, marks, partial(self._note, "folders")))
        if standard_input:
            made.append(StandardInput(standard_input))
        return made

    def _note(self, place: str, action: str, message: str, count: int) -> None:
        self.happenings.note(action, place, message, count=count, now=time.monotonic())


async def _begin(listener: Listener) -> None:
    intake = listener.intake
    try:
        await listener.start()
    except OSError as error:
        fix = PRIVILEGE if isinstance(error, PermissionError) else OCCUPIED
        raise UsageError(f"{intake.place} can't be listened to: {error.strerror}", fix=fix) from error


def tokens(http: Http) -> dict[str, str]:
    """Return the tokens of the HTTP input by the names of their holders.

    Raises:
        UsageError: there is none, or one is too short to be a secret.
    """
    found = {"token": http.token.get_secret_value()} if http.token.get_secret_value() else {}
    if http.token_file is not None:
        try:
            rows = [line.split() for line in http.token_file.read_text("utf-8").splitlines()]
        except OSError as error:
            place = Place(str(http.token_file))
            raise UsageError(f"the file of tokens can't be read: {error.strerror}", place=place) from error
        found |= {row[0]: row[-1] for row in rows if row and not row[0].startswith("#")}
    fix = "write `name token` lines into collect.http.token_file: openssl rand -hex 32"
    if not found:
        raise UsageError("the HTTP input has no token", fix=fix)
    for name, token in found.items():
        if len(token) < 16:
            raise UsageError(f"the token of {name!r} is shorter than 16 characters", fix=fix)
    return found


def check(settings: Settings, more: Sequence[str] = ()) -> None:
    """Raise UsageError if there is nothing to collect, nowhere to send it, or a source that isn't known."""
    part = settings.collect
    if not settings.kafka.servers:
        raise UsageError("collected lines go to Kafka, and no broker is named", fix="set `kafka.servers` in soc.yml")
    if not (part.sources or more):
        fix = "set `collect:` in soc.yml (see soc.example.yml), or use --stdin SOURCE"
        raise UsageError("there is nothing to collect", fix=fix)
    known = load_definitions([BUILT_IN, *settings.sources])
    for source in sorted({*part.sources, *more}):
        if source not in known:
            raise UsageError(f"collect: no source is called {source!r}", fix=nearest(source, known))


def raise_handle_limit(part: Collect) -> tuple[int, int]:
    """Allow as many open files as the settings may need and the system lets us; return what there is and is needed."""
    wanted = HANDLES + sum(each.connections for each in part.syslog if each.transport != "udp")
    wanted += sum(len(glob.glob(each.path, recursive=True)) for each in part.files)  # noqa: PTH207  # absolute patterns
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed), wanted


def collect(settings: Settings, standard_input: str | None = None) -> None:
    """Collect until stopped; words for people go to stderr."""

    def say(text: str) -> None:
        print(f"collect: {plain(text)}", file=sys.stderr, flush=True)

    there, wanted = raise_handle_limit(settings.collect)
    if there < wanted:
        say(f"only {there:,} files can be open, {wanted:,} may be needed: raise the limit (LimitNOFILE, ulimit -n)")
    protect = protection(settings)

    async def main() -> None:
        await Collector(settings, say, protect, standard_input).run()

    asyncio.run(main())


def protection(settings: Settings) -> Protect:
    """Return what is done to the lines of a source before they are written anywhere: tokens, where the settings say so.

    Raises:
        UsageError: there are no keys to make tokens with; nothing is collected then.
    """
    return protecting.lines(settings, assembly.definitions(settings) if settings.privacy.protect else {})
