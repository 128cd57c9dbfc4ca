"""Another process that parses and matches batches while this one does.

    with Beside(job) as beside:
        match = beside.ready(rules)    waits; so have a thread for it
        left = match(batch)            waits

It loads the rules by itself, so nothing but settings, batches and hits goes over.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET, socketpair
from types import TracebackType
from typing import Final, Self

from connectors.content import Outcome
from connectors.files import walk
from detectors.contracts import Batch
from detectors.sigma.rule import Rule
from flows.match_worker import Answer, Job, named
from flows.matching import Matched
from flows.parcels import receive, send, send_batch
from flows.sharing import GoneError

COMMAND: Final = (sys.executable, "-P", "-c", "from flows.match_worker import main; main()")
ROOM: Final = 1 << 20  # bytes under way
BOTH: Final = 2
LARGE: Final = 512_000_000  # bytes of logs; of less most was read before the other process is ready


def processes(paths: Iterable[Path]) -> int:
    """Return in how many processes these logs are matched soonest.

    Event logs have their own for what takes longest.
    """
    if len(os.sched_getaffinity(0)) < BOTH:
        return 1
    size = 0
    for path in walk(paths, Outcome()):
        with suppress(OSError):
            size += 0 if path.suffix.lower() == ".evtx" else path.stat().st_size
        if size >= LARGE:
            return BOTH
    return 1


class Beside:
    """A process at the same work. What one thread has asked for it must wait for before it asks again."""

    def __init__(self, job: Job, command: Sequence[str] = COMMAND) -> None:
        """Start it; it takes a second until it is ready, which nobody has to wait for."""
        self.failures: dict[int, str] = {}
        self.seconds: dict[str, float] = {}
        self.memory = 0.0
        self._end, other = socketpair()
        for end in (self._end, other):
            end.setsockopt(SOL_SOCKET, SO_SNDBUF, ROOM)
            end.setsockopt(SOL_SOCKET, SO_RCVBUF, ROOM)
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own script
                command,
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                process_group=0,  # Ctrl-C is for the parent
            )
        with suppress(OSError):  # `ready` tells
            send(self._end, job)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ready(self, rules: Sequence[Rule]) -> Callable[[Batch], Matched]:
        """Wait until it has loaded its rules, and return what matches batches.

        Raises:
            GoneError: it ended, or has other rules than these: files were changed meanwhile.
        """
        with suppress(OSError, EOFError):
            if receive(self._end)[0] == named(rules):
                return self.match
        raise GoneError

    def match(self, batch: Batch) -> Matched:
        """Return what the rules left of a batch.

        Raises:
            GoneError: it ended; the batch is as it was.
        """
        try:
            send_batch(self._end, batch)
            answer: Answer = receive(self._end)[0]
        except (OSError, EOFError) as error:
            raise GoneError from error
        self.failures, self.seconds, self.memory = answer.failures, answer.seconds, answer.memory
        return answer.left

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._end.close()
        self._process.wait()
