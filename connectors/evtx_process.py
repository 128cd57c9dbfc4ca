"""Have chunks of event logs parsed by a child process.

    parser = Parser()
    parser.ask([Stretch(file, at, count)])    the child works while the caller does something else
    answer = parser.answer()                  waits, but never beyond the deadline: then the child is killed

The child is `evtx_worker.py`.
"""

from __future__ import annotations

import atexit
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.evtx_answer import Answer, received
from connectors.evtx_child import GRACE, Child, unnamed
from detectors.errors import InputError

# -P: the folder of the script holds an evtx.py of ours, which is not the parser
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("evtx_worker.py")))
SECONDS = 2.0  # for one chunk; an honest one takes a thousandth of that
LONGEST = 60.0  # seconds for a request
START = 30.0  # seconds to load the parser
REST = 30.0  # seconds after which the children that wait are sent home
REQUEST, STRETCH = struct.Struct("<dI?"), struct.Struct("<QI")
STRETCHES: Final = 64  # in a request; a process may have few files open, and a socket carries at most 253


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks that stand one after the other in an open file."""

    file: int
    at: int
    count: int


class Parser:
    """A child that is started when it is needed and replaced when it ends."""

    def __init__(self, command: Sequence[str] = COMMAND, seconds: float = SECONDS) -> None:
        self.asked = 0  # chunks whose answer is outstanding
        self._command, self._seconds = command, seconds
        self._child: Child | None = None
        self._deadline = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.process.pid if self._child else None

    def start(self) -> None:
        """Start the child, and don't wait for it: whoever asks does, and is told when it can't be started."""
        with suppress(OSError):
            self._child = self._child or Child(self._command)

    def ask(self, stretches: Sequence[Stretch], *, anyhow: bool = False) -> None:
        """Have chunks of 64 KiB parsed that stand in files, in at most `STRETCHES` places.

        With `anyhow` also those whose headers make no sense; else these are left to the caller.

        Raises:
            InputError: the child can't be started.
        """
        child = self._living()
        self.asked = sum(each.count for each in stretches)
        self._deadline = time.monotonic() + min(self._seconds * self.asked, LONGEST) + GRACE
        table = b"".join(STRETCH.pack(each.at, each.count) for each in stretches)
        with suppress(InputError):  # a child that died meanwhile is told of by `answer`
            files = [child.file, *(each.file for each in stretches)]
            child.send(REQUEST.pack(self._seconds, len(stretches), anyhow) + table, files, self._deadline)

    def answer(self) -> Answer:
        """Return what came of the first of the chunks asked for: of all, unless they hold unusually much text.

        Raises:
            InputError: the child took too long or crashed; it is gone, and the chunks may be asked for again.
        """
        if self._child is None:
            raise InputError("was not asked for")
        try:
            answer = received(self._child, self.asked, self._deadline)
        except InputError:
            self.close()
            raise
        self.asked = 0
        return answer

    def close(self) -> None:
        """End the child if there is one."""
        child, self._child, self.asked = self._child, None, 0
        if child:
            child.end()

    def _living(self) -> Child:
        child = self._child
        if child and child.ready and child.process.poll() is None:
            return child
        try:
            if child is None or child.ready:
                self.close()
                child = self._child = Child(self._command)
            child.receive(1, time.monotonic() + START)
            child.ready = True
        except OSError as error:
            raise InputError(f"can't be parsed: no process can be started ({error.strerror})") from error
        except InputError as error:
            self.close()
            message = f"can't be parsed: the process for it {error.message} at its start"
            raise InputError(message, fix="reinstall the Python package evtx") from error
        return child


@contextmanager
def held(chunks: Sequence[bytes]) -> Iterator[Stretch]:
    """Hold chunks, of which only the last may be cut off, in a file for as long as they are needed."""
    file = unnamed(b"".join(chunks))
    try:
        yield Stretch(file, 0, len(chunks))
    finally:
        os.close(file)


class Parsers:
    """Parsers that wait for work, so that one child serves all the files of a scan; but not for ever."""

    def __init__(self, parser: Callable[[], Parser] = Parser, rest: float = REST) -> None:
        self._new, self._rest = parser, rest
        self._idle: list[Parser] = []
        self._timer: threading.Timer | None = None

    @contextmanager
    def lend(self) -> Iterator[Parser]:
        """Lend a parser to one reader."""
        try:
            parser = self._idle.pop()
        except IndexError:
            parser = self._new()
        try:
            yield parser
        except BaseException:
            parser.close()  # whatever it was doing
            raise
        if parser.asked:  # an answer that nobody took would be taken for the next one's
            parser.close()
        self._idle.append(parser)
        if self._timer is None:
            self._timer = threading.Timer(self._rest, self.close)
            self._timer.daemon = True
            self._timer.start()

    def start(self) -> None:
        """Start two children, which are ready soon: somebody will read an event log."""
        with self.lend() as one, self.lend() as other:
            one.start()
            other.start()

    def close(self) -> None:
        """End the children that wait; the next reader starts a new one."""
        timer, self._timer = self._timer, None
        if timer:
            timer.cancel()
        with suppress(IndexError):  # others may take from the same list meanwhile
            while True:
                self._idle.pop().close()


PARSERS = Parsers()
atexit.register(PARSERS.close)
