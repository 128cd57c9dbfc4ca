"""A simulated province in files: one folder of logs per source, and the truth about the attacks beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import orjson

from connectors.simulator import applications, infrastructure, leases, network
from connectors.simulator.attacks import ATTACKS
from connectors.simulator.province import Province, load
from connectors.simulator.simulate import simulate
from connectors.simulator.stream import Line
from detectors.errors import Place, UsageError

FILES = {
    "portal": "access.log",
    "auth": "auth.log",
    "windows": "events.ndjson",
    "hotline_1022": "app.ndjson",
    **dict.fromkeys(applications.SOURCES, "audit.ndjson"),
    **{source: f"{source}.log" for source in (*infrastructure.SOURCES, *network.SOURCES, leases.SOURCE)},
    "asterisk_cdr": "Master.csv",
}
TRUTH = "truth.ndjson"
STEP = 1_000  # lines between two reports of progress


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written, and where."""

    folder: Path
    logs: tuple[Path, ...]
    truth: Path
    lines: dict[str, int]  # per source
    size: int  # bytes of all logs
    attacks: tuple[str, ...]


@dataclass(slots=True)
class _Log:
    """One log that is being written."""

    file: BinaryIO
    offset: int = 0
    lines: int = 0
    last: datetime | None = None

    def add(self, line: Line) -> dict[str, str | int]:
        """Append a line; return its place."""
        place: dict[str, str | int] = {"line": self.lines + 1, "offset": self.offset, "text": line.text}
        self.offset += self.file.write(line.text.encode() + b"\n")
        self.lines += 1
        self.last = line.at
        return place


@dataclass(slots=True)
class _Truth:
    """What is known about one attack."""

    start: datetime
    end: datetime
    lines: list[dict[str, str | int]] = field(default_factory=list)

    def add(self, line: Line, place: dict[str, str | int]) -> None:
        self.end = line.at
        self.lines.append({"source": line.source, "file": f"{line.source}/{FILES[line.source]}", **place})


def write(
    out_dir: Path,
    seed: int,
    start: date,
    days: int,
    progress: Callable[[float], None] | None = None,
    *,
    spec: Province | None = None,
    scenarios: Sequence[str] = (),
    send: Callable[[Line], object] | None = None,
) -> Summary:
    """Write the logs and the truth below a folder, replacing those of an earlier simulation.

    Files appear whole or not at all, and their modification time is that of their last line: syslog lines carry no
    year, and readers take it from there. `progress` hears the share of simulated time that is done; `send` gets every
    line before it is written: to send it elsewhere too, or to wait until its time has come.

    Raises:
        UsageError: when the folder can't be written, or holds links where its own folders should be.
    """
    lines = simulate(spec or load(), seed, start, days, scenarios)
    midnight = datetime.combine(start, datetime.min.time())
    report = progress or (lambda _: None)
    truths: dict[str, _Truth] = {}
    try:
        with ExitStack() as stack:
            logs = {source: stack.enter_context(_log(out_dir, source)) for source in FILES}
            for number, line in enumerate(lines):
                if send is not None:
                    send(line)
                place = logs[line.source].add(line)
                if line.attack:
                    truths.setdefault(line.attack, _Truth(line.at, line.at)).add(line, place)
                if number % STEP == 0:
                    report((line.at.replace(tzinfo=None) - midnight) / timedelta(days=days))
            _write_truth(stack.enter_context(_replaced(out_dir / TRUTH)), truths)
    except OSError as error:
        fix = "choose a folder that you may write to, on a disk with room"
        raise UsageError(f"a log can't be written: {error.strerror}", place=Place(str(out_dir)), fix=fix) from error
    report(1.0)
    return Summary(
        folder=out_dir,
        logs=tuple(out_dir / source / name for source, name in FILES.items()),
        truth=out_dir / TRUTH,
        lines={source: log.lines for source, log in logs.items()},
        size=sum(log.offset for log in logs.values()),
        attacks=tuple(attack.id for attack in ATTACKS if attack.id in truths),
    )


@contextmanager
def _log(out_dir: Path, source: str) -> Iterator[_Log]:
    folder = out_dir / source
    if folder.is_symlink():
        place = Place(str(folder))
        raise UsageError("a link may lead out of the folder", place=place, fix="choose an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILES[source]
    with _replaced(path) as file:
        log = _Log(file)
        yield log
    if log.last:
        os.utime(path, (log.last.timestamp(), log.last.timestamp()))


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """Write beside a file and take its place at the end; a fault leaves nothing. Links are never followed."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with fresh.open("xb") as file:
            yield file
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _write_truth(file: BinaryIO, truths: dict[str, _Truth]) -> None:
    for attack in ATTACKS:
        if truth := truths.get(attack.id):
            record = {
                "attack": attack.id, "name": attack.name, "vi": attack.vi, "techniques": attack.techniques,
                "start": truth.start, "end": truth.end, "lines": truth.lines,
            }  # fmt: skip
            file.write(orjson.dumps(record) + b"\n")
