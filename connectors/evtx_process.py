"""Have chunks of event logs parsed by a child process that may hang or crash without harm.

    parser = Parser()
    parser.ask([Stretch(file, at, count)])    the child works while the caller does something else
    answer = parser.answer()                  waits, but never beyond the deadline: then the child is killed

The child is `evtx_worker.py`. It is given no environment but what finds the interpreter, no terminal, and no file but
the log that it is to parse, open for reading, and one without a name for what it makes of it.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import numpy as np
import numpy.typing as npt

from connectors.evtx_chunks import CHUNK
from detectors.errors import InputError

# -P: the folder of the script holds an evtx.py of ours, which is not the parser
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("evtx_worker.py")))
ENVIRONMENT = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")
SECONDS = 2.0  # for one chunk; an honest one takes a thousandth of that
LONGEST = 60.0  # seconds for a request
START, GRACE = 30.0, 3.0  # seconds to load the parser; to hand over an answer
REST = 30.0  # seconds after which the children that wait are sent home
LARGEST = 96 << 20  # an answer beyond this isn't from a sane child
REQUEST, STRETCH, COUNT = struct.Struct("<dI?"), struct.Struct("<QI"), struct.Struct("<I")
STRETCHES: Final = 64  # in a request; a process may have few files open, and a socket carries at most 253
PART = np.dtype([("records", "<u2"), ("errors", "<u2"), ("size", "<u4")])
UNREAD: Final = 0xFFFF  # stands for the errors of a chunk that the parser would not look into
ID = np.dtype("<u8")
LF: Final = ord("\n")
STEP: Final = 1 << 16  # bytes looked at at once: more would need fresh memory, which takes longer to clear

Heads = npt.NDArray[np.void]  # of PART
Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks that stand one after the other in an open file."""

    file: int
    at: int
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """What the parser made of one chunk: its records as lines of JSON, their ids, and its failures."""

    lines: bytes
    ids: Ids
    errors: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the parser made of chunks, and the file that holds their records; the next answer takes its place."""

    heads: Heads
    ids: Ids
    size: int  # bytes of all records, a line each
    _file: int

    def read(self, into: memoryview) -> None:
        """Copy the records into memory of their size.

        Raises:
            InputError: they are not what was announced.
        """
        begin = self.heads.nbytes + self.ids.nbytes
        read = os.preadv(self._file, [into], begin) if self.size else 0
        data = np.frombuffer(into, np.uint8)
        ends = sum(np.count_nonzero(data[at : at + STEP] == LF) for at in range(0, self.size, STEP))
        if read != self.size or ends != len(self.ids) or (self.size and into[-1] != LF):
            raise _nonsense()

    def parts(self) -> list[Part]:
        """Return it by chunks."""
        text = bytearray(self.size)
        self.read(memoryview(text))
        last_ids, last_bytes = (np.cumsum(self.heads[name], dtype=np.int64).tolist() for name in ("records", "size"))
        parts: list[Part] = []
        for head, last_id, last_byte in zip(self.heads, last_ids, last_bytes, strict=True):
            records, size = int(head["records"]), int(head["size"])
            lines = bytes(memoryview(text)[last_byte - size : last_byte])
            if lines.count(b"\n") != records:
                raise _nonsense()
            parts.append(Part(lines, self.ids[last_id - records : last_id], int(head["errors"])))
        return parts


class Child:
    """A process that answers requests for as long as it lives; everything that waits for it ends at a deadline."""

    def __init__(self, command: Sequence[str]) -> None:
        self.ready = False  # it has said so
        self.file = unnamed()
        self._requests, theirs = socket.socketpair()
        self._requests.setblocking(False)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - the command is our own script
                command,
                bufsize=0,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                start_new_session=True,  # Ctrl-C is for the parent
            )
        except OSError:
            self._forget()
            raise
        finally:
            theirs.close()
        self._stdout = cast("IO[bytes]", self.process.stdout)

    def send(self, data: bytes, files: Sequence[int], deadline: float) -> None:
        """Send a request, and hand over files."""
        while data:
            try:
                sent = socket.send_fds(self._requests, [data], files) if files else self._requests.send(data)
            except BlockingIOError:
                self._wait(self._requests, select.POLLOUT, deadline)
                continue
            except (BrokenPipeError, ConnectionResetError):
                raise self._ended() from None
            data, files = data[sent:], ()

    def receive(self, size: int, deadline: float) -> bytes:
        """Return so many bytes of what it says."""
        data = b""
        while len(data) < size:
            self._wait(self._stdout, select.POLLIN, deadline)
            more = os.read(self._stdout.fileno(), size - len(data))
            if not more:
                raise self._ended()
            data += more
        return data

    def end(self) -> None:
        """End the process, whatever it does, and leave no trace of it."""
        self.process.kill()
        self._forget()
        self._stdout.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)

    def _forget(self) -> None:
        self._requests.close()
        os.close(self.file)

    def _wait(self, end: IO[bytes] | socket.socket, event: int, deadline: float) -> None:
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
            answer = _answer(self._child, self.asked, self._deadline)
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


def unnamed() -> int:
    """Return a file without a name: in memory, where the system has such."""
    if sys.platform == "linux":
        return os.memfd_create("evtx")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def held(chunks: Sequence[bytes]) -> Iterator[Stretch]:
    """Hold chunks in a file for as long as they are needed."""
    file = unnamed()
    try:
        for number, chunk in enumerate(chunks):
            os.pwrite(file, chunk, number * CHUNK)
        yield Stretch(file, 0, len(chunks))
    finally:
        os.close(file)


def _answer(child: Child, asked: int, deadline: float) -> Answer:
    """Receive an answer; a child that broke under its input may say anything."""
    (count,) = COUNT.unpack(child.receive(COUNT.size, deadline))
    if not 0 < count <= asked:
        raise _nonsense()
    heads = np.frombuffer(_read(child.file, count * PART.itemsize, 0), PART)
    records, size = (int(heads[name].sum(dtype=np.int64)) for name in ("records", "size"))
    ids = np.frombuffer(_read(child.file, records * ID.itemsize, heads.nbytes), ID)
    if size > LARGEST:
        raise _nonsense()
    return Answer(heads, ids, size, child.file)


def _read(file: int, size: int, at: int) -> bytes:
    data = os.pread(file, size, at)
    if len(data) != size:
        raise _nonsense()
    return data


def _nonsense() -> InputError:
    return InputError("crashed (its answer makes no sense)")


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
