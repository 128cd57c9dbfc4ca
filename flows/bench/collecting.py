"""How many lines a second a collector takes, and its peak memory, by each transport over the loopback interface.

Kafka is away, so what is measured ends on disk; the sender shares the machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from flows.bench.table import table

LINE: Final = (
    b"<38>Mar  2 08:15:%02d web01 sshd[4711]: Failed password for invalid user admin from 192.0.2.7 port %d ssh2\n"
)
TOKEN: Final = "of-this-measurement-only-0123456789"  # noqa: S105  # guards nothing
CHUNK: Final = 500  # lines handed to a socket at once
SENDERS: Final = 50  # connections
STILL: Final = 10.0  # seconds without a new line after which no more will come

Send = Callable[[int, bytes], None]  # a port and lines, sent there


@dataclass(frozen=True, slots=True)
class Measured:
    """What one transport did."""

    transport: str
    sent: int
    taken: int
    seconds: float
    busy: float  # seconds of one core that the collector took
    peak_mb: float


def collecting(folder: Path, lines: int) -> list[Measured]:
    """Measure every transport with so many lines."""
    data = b"".join(LINE % (number % 60, number % 60_000) for number in range(lines))
    ways: dict[str, tuple[dict[str, object], Send]] = {
        "udp": ({"transport": "udp"}, _udp),
        "tcp": ({"transport": "tcp"}, _tcp),
        "tcp, counted": ({"transport": "tcp"}, _counted),
    }
    if shutil.which("openssl"):
        certificate, key = _certificate(folder)
        ways["tls"] = ({"transport": "tls", "certificate": certificate, "key": key}, _tls)
    measured = [
        _measured(folder / name, name, {"syslog": [{"source": "syslog", **listener}]}, send, data)
        for name, (listener, send) in ways.items()
    ]
    http: dict[str, object] = {"http": {"sources": ["syslog"], "token": TOKEN}}
    measured.append(_measured(folder / "http", "http", http, _http, data))
    log = folder / "bench.log"
    files: dict[str, object] = {"files": [{"path": str(log), "source": "syslog"}]}
    measured.append(_measured(folder / "file", "file", files, lambda _port, text: _file(log, text), data))
    return measured


def shown(measured: list[Measured]) -> str:
    """Return the figures as a table."""
    rows = [
        (
            each.transport,
            round(each.taken / each.seconds),
            round(each.taken / max(each.busy, 0.01)),
            each.sent - each.taken,
            round(each.peak_mb),
        )
        for each in measured
    ]
    return table(("transport", "lines/s", "lines/s/core", "not taken", "peak MB"), rows)


def _measured(folder: Path, name: str, part: dict[str, object], send: Send, data: bytes) -> Measured:
    folder.mkdir(parents=True)
    port = _free_port(udp=name == "udp")
    for listener in (*part.get("syslog", ()), *([part["http"]] if "http" in part else [])):  # type: ignore[misc]
        listener["listen"] = f"127.0.0.1:{port}"
    collect = {"spool": str(folder / "spool"), "rate": 0, "report_every": 0.2, **part}
    settings = folder / "soc.yml"
    settings.write_text(yaml.safe_dump({"kafka": {"servers": ["127.0.0.1:1"]}, "collect": collect}))
    said = folder / "said"
    with said.open("wb") as console, _running(settings, console) as process:
        _wait(lambda: "since start" in said.read_text("utf-8"))
        idle, began = _busy(process.pid), time.perf_counter()
        send(port, data)
        taken, seconds = _settled(said, data.count(b"\n"), began)
        busy = _busy(process.pid) - idle
        return Measured(name, data.count(b"\n"), taken, seconds, busy, _peak(process.pid))


@contextlib.contextmanager
def _running(settings: Path, console: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "flows.cli", "collect", "--config", str(settings)]
    process = subprocess.Popen(command, stderr=console)  # type: ignore[call-overload]  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _settled(said: Path, sent: int, began: float) -> tuple[int, float]:
    """Return how many lines were taken, and after how many seconds the last of them."""
    taken, last = 0, time.perf_counter()
    while taken < sent and time.perf_counter() - last < STILL:
        time.sleep(0.05)
        found = re.findall(r"([\d,]+) since start", said.read_text("utf-8"))
        now = int(found[-1].replace(",", "")) if found else 0
        if now > taken:
            taken, last = now, time.perf_counter()
    return taken, last - began


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the collector doesn't listen")
        time.sleep(0.05)


def _busy(pid: int) -> float:
    with contextlib.suppress(OSError):
        cells = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _peak(pid: int) -> float:
    with contextlib.suppress(OSError, AttributeError):
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000  # type: ignore[index]
    return 0.0


def _free_port(*, udp: bool) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _chunks(data: bytes) -> Iterator[list[bytes]]:
    lines = data.splitlines(keepends=True)
    for at in range(0, len(lines), CHUNK):
        yield lines[at : at + CHUNK]


def _udp(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for lines in _chunks(data):
            for line in lines:
                sender.send(line)


def _tcp(port: int, data: bytes) -> None:
    senders = [socket.create_connection(("127.0.0.1", port)) for _ in range(SENDERS)]
    for number, lines in enumerate(_chunks(data)):
        senders[number % SENDERS].sendall(b"".join(lines))
    for sender in senders:
        sender.close()


def _counted(port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sender:
        for lines in _chunks(data):
            sender.sendall(b"".join(b"%d %b" % (len(line) - 1, line[:-1]) for line in lines))


def _tls(port: int, data: bytes) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # our own, for this measurement
    with socket.create_connection(("127.0.0.1", port)) as plain, trusting.wrap_socket(plain) as sender:
        for lines in _chunks(data):
            sender.sendall(b"".join(lines))
        sender.unwrap()


def _http(port: int, data: bytes) -> None:
    head = f"POST /syslog HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: %d\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as sender:
        answers = sender.makefile("rb")
        lines = data.splitlines(keepends=True)
        for at in range(0, len(lines), 10 * CHUNK):
            body = b"".join(lines[at : at + 10 * CHUNK])
            sender.sendall(head % len(body) + body)
            while (line := answers.readline()) not in (b"\r\n", b""):
                length = int(line.split()[1]) if line.startswith(b"Content-Length") else 0
            answers.read(length)


def _file(log: Path, data: bytes) -> None:
    fresh = log.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.rename(log)


def _certificate(folder: Path) -> tuple[str, str]:
    certificate, key = str(folder / "bench.crt"), str(folder / "bench.key")
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command = ["openssl", *asked, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return certificate, key
