"""A process of its own for what is native code, and its input hostile: it may hang or crash without harm.

It is given no environment but what finds the interpreter, no terminal, and no file but the log that it is to parse,
open for reading, and one without a name for what it makes of it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final, cast

from detectors.errors import InputError

ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")
GRACE = 3.0  # seconds for it to end


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


def unnamed(data: bytes = b"") -> int:
    """Return a file without a name that holds some bytes: in memory, where the system has such."""
    file = _made()
    try:
        rest, at = memoryview(data), 0
        while rest:
            written = os.pwrite(file, rest, at)
            rest, at = rest[written:], at + written
    except OSError:
        os.close(file)
        raise
    return file


def _made() -> int:
    if sys.platform == "linux":
        return os.memfd_create("evtx")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
