"""The inputs of a collector, made from its settings: listeners of the network, and readers of files."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from connectors.collect import tls
from connectors.collect.block import Mark
from connectors.collect.datagrams import DatagramInput
from connectors.collect.folder import Folders, Watched
from connectors.collect.gathering import Gathering
from connectors.collect.happenings import Happenings
from connectors.collect.http import Access, HttpInput
from connectors.collect.intake import Address, Intake
from connectors.collect.limit import RateLimit
from connectors.collect.piece import Piece
from connectors.collect.senders import Senders
from connectors.collect.standard_input import StandardInput
from connectors.collect.stream import StreamInput
from connectors.collect.tail import Pattern, Tail
from flows.collecting.needs import tokens
from flows.collecting.settings import Collect, Http, Syslog


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


@dataclass(frozen=True, slots=True)
class Inputs:
    """Makes the inputs; what they take goes to `gathering`, what happens to them to `happenings`."""

    settings: Collect
    gathering: Gathering
    happenings: Happenings

    def listeners(self, durable: Callable[[], Awaitable[bool]]) -> list[Listener]:
        """Return the inputs of the network; HTTP senders are answered when `durable` returns.

        Raises:
            UsageError: there are no tokens, or a certificate can't be used.
        """
        made: list[Listener] = []
        for each in self.settings.syslog:
            intake = self._intake(f"syslog {each.transport}", each, Senders(each.senders, each.source))
            made.append(DatagramInput(intake) if each.transport == "udp" else StreamInput(intake))
        if (http := self.settings.http) is not None:
            senders = Senders(dict.fromkeys(http.networks, "http"), None if http.networks else "http")
            access = Access(tokens(http), http.sources, http.body)
            made.append(HttpInput(self._intake("http", http, senders), access, durable))
        return made

    def readers(self, marks: Mapping[str, Mark], standard_input: str | None) -> list[Reader]:
        """Return the inputs that are asked, from where `marks` say; `standard_input` is the source of stdin."""
        settings, made = self.settings, list[Reader]()
        if settings.files:
            patterns = [Pattern(each.path, each.source, each.from_end, each.links) for each in settings.files]
            made.append(Tail(patterns, marks, partial(self._note, "files")))
        if settings.folders:
            watched = [Watched(each.path, each.source, each.pattern) for each in settings.folders]
            made.append(Folders(watched, marks, partial(self._note, "folders")))
        if standard_input:
            made.append(StandardInput(standard_input))
        return made

    def _intake(self, place: str, listener: Syslog | Http, senders: Senders) -> Intake:
        rate = self.settings.rate if listener.rate is None else listener.rate
        host, port = listener.address
        secure = None
        if listener.certificate is not None and listener.key is not None:
            secure = tls.context(listener.certificate, listener.key, listener.clients)
        return Intake(
            place=f"{place} {listener.listen}",
            address=Address(host, port),
            senders=senders,
            limit=RateLimit(rate, self.settings.burst),
            gathering=self.gathering,
            happenings=self.happenings,
            secure=secure,
            connections=listener.connections,
            of_one=listener.of_one,
        )

    def _note(self, place: str, action: str, message: str, count: int) -> None:
        self.happenings.note(action, place, message, count=count, now=time.monotonic())
