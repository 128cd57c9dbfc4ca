"""Have chunks of event logs parsed by a child process that may hang or crash without harm.

    parser = Parser()
    parser.ask([chunk, chunk])    the child works while the caller does something else
    parts = parser.answer()       waits, but never beyond the deadline: then the child is killed

The child is `evtx_worker.py`. It is given no environment but what finds the interpreter, no terminal, and no file.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from detectors.errors import InputError

# -P: the folder of the script holds an evtx.py of ours, which is not the parser
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("evtx_worker.py")))
ENVIRONMENT = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")
SECONDS = 2.0  # for one chunk; an honest one takes a thousandth of that
START, GRACE = 30.0, 3.0  # seconds to load the parser; to hand over an answer
REST = 30.0  # seconds after which the children that wait are sent home
F_SETPIPE_SZ, PIPE = 1031, 1 << 20  # Linux knows the command, others refuse it
LARGEST = 96 << 20  # an answer beyond this isn't from a sane child
REQUEST, COUNT = struct.Struct("<Id"), struct.Struct("<I")
PART = np.dtype([("records", "<u2"), ("errors", "<u2"), ("size", "<u4")])
ID = np.dtype("<u8")


@dataclass(frozen=True, slots=True)
class Part:
    """What the parser made of one chunk: its records as lines of JSON, their ids, and its failures."""

    lines: memoryview
    ids: npt.NDArray[np.uint64]
    errors: int


class Child:
    """A process that answers requests for as long as it lives; everything that waits for it ends at a deadline."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the command is our own script
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            start_new_session=True,  # Ctrl-C is for the parent
        )
        self._stdin, self._stdout = (cast("IO[bytes]", end) for end in (self.process.stdin, self.process.stdout))
        for end in (self._stdin, self._stdout):
            os.set_blocking(end.fileno(), False)
            with suppress(OSError):  # fewer turns; whoever may not have so much has 64 KiB
                fcntl.fcntl(end, F_SETPIPE_SZ, PIPE)

    def send(self, parts: Sequence[bytes], deadline: float) -> None:
        rest = [memoryview(part) for part in parts]
        while rest:
            try:
                written = os.writev(self._stdin.fileno(), rest)
            except BlockingIOError:
                self._wait(self._stdin, select.POLLOUT, deadline)
                continue
            except BrokenPipeError:
                raise self._ended() from None
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if written:
                rest[0] = rest[0][written:]

    def receive(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            self._wait(self._stdout, select.POLLIN, deadline)
            count = os.readv(self._stdout.fileno(), [rest])
            if not count:
                raise self._ended()
            rest = rest[count:]
        return data

    def end(self) -> None:
        """End the process, whatever it does, and leave no trace of it."""
        self.process.kill()
        for end in (self._stdin, self._stdout):
            end.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)

    def _wait(self, end: IO[bytes], event: int, deadline: float) -> None:
        ready = select.poll()
        ready.register(end, event)
        if not ready.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise InputError("took too long")

    def _ended(self) -> InputError:
        try:
            code = self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            return InputError("took too long")
        if code == -signal.SIGALRM:
            return InputError("took too long")
        return InputError(f"crashed ({f'signal {-code}' if code < 0 else f'exit status {code}'})")


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

    def ask(self, chunks: Sequence[bytes]) -> None:
        """Send chunks of 64 KiB to be parsed.

        Raises:
            InputError: the child can't be started.
        """
        child = self._living()
        self.asked = len(chunks)
        self._deadline = time.monotonic() + self._seconds * len(chunks) + GRACE
        with suppress(InputError):  # a child that died meanwhile is told of by `answer`
            child.send((REQUEST.pack(len(chunks), self._seconds), *chunks), self._deadline)

    def answer(self) -> list[Part]:
        """Return what came of the first of the chunks asked for: of all, unless they hold unusually much text.

        Raises:
            InputError: the child took too long or crashed; it is gone, and the chunks may be asked for again.
        """
        if self._child is None:
            raise InputError("was not asked for")
        try:
            parts = _parts(self._child, self.asked, self._deadline)
        except InputError:
            self.close()
            raise
        self.asked = 0
        return parts

    def close(self) -> None:
        """End the child if there is one."""
        child, self._child, self.asked = self._child, None, 0
        if child:
            child.end()

    def _living(self) -> Child:
        if self._child and self._child.process.poll() is None:
            return self._child
        self.close()
        try:
            child = self._child = Child(self._command)
            child.receive(1, time.monotonic() + START)
        except OSError as error:
            raise InputError(f"can't be parsed: no process can be started ({error.strerror})") from error
        except InputError as error:
            self.close()
            message = f"can't be parsed: the process for it {error.message} at its start"
            raise InputError(message, fix="reinstall the Python package evtx") from error
        return child


def _parts(child: Child, asked: int, deadline: float) -> list[Part]:
    """Receive an answer; a child that broke under its input may say anything."""
    (count,) = COUNT.unpack(child.receive(COUNT.size, deadline))
    if not 0 < count <= asked:
        raise InputError("crashed (its answer makes no sense)")
    deadline = time.monotonic() + GRACE  # the answer is there, however late the caller comes for it
    heads = np.frombuffer(child.receive(count * PART.itemsize, deadline), PART)
    if heads["size"].sum(dtype=np.int64) > LARGEST:
        raise InputError("crashed (its answer makes no sense)")
    ids = np.frombuffer(child.receive(int(heads["records"].sum(dtype=np.int64)) * ID.itemsize, deadline), ID)
    text = child.receive(int(heads["size"].sum(dtype=np.int64)), deadline)
    last_ids, last_bytes = (np.cumsum(heads[name], dtype=np.int64).tolist() for name in ("records", "size"))
    parts: list[Part] = []
    for head, last_id, last_byte in zip(heads, last_ids, last_bytes, strict=True):
        records, size = int(head["records"]), int(head["size"])
        begin = last_byte - size
        if bool(size) + text.count(b"\n", begin, last_byte) != records:
            raise InputError("crashed (its answer makes no sense)")
        lines = memoryview(text)[begin:last_byte]
        parts.append(Part(lines, ids[last_id - records : last_id], int(head["errors"])))
    if not _is_text(text):
        raise InputError("crashed (its answer makes no sense)")
    return parts


def _is_text(data: bytearray) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


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
