from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from connectors import evtx_answer, evtx_process, evtx_rescue, evtx_worker
from connectors.evtx_chunks import CHUNK, mend, singled
from connectors.evtx_log import HEADER
from connectors.evtx_process import COMMAND, Parser, Parsers
from connectors.evtx_worker import plausible
from connectors.files import FileSource, expect
from detectors.errors import InputError
from tests.connectors.evtx_logs import mutated, parts, record_ids
from tests.connectors.reading import content, joined, portions, scan, small

pytestmark = pytest.mark.reference
FAULTY = str(Path(__file__).with_name("evtx_faulty.py"))
SECONDS = 1.0


@pytest.fixture(scope="module")
def log(reference: Path) -> bytes:
    return (reference / "evtx" / "benign-edge" / "evtx" / "system.evtx").read_bytes()


@pytest.fixture(scope="module")
def chunks(log: bytes) -> list[bytes]:
    every = (log[at : at + CHUNK] for at in range(HEADER, len(log), CHUNK))
    return [chunk for chunk in every if plausible(chunk)]


@pytest.fixture(scope="module")
def whole(log: bytes) -> list[str]:
    return joined(portion.records for portion in portions(content(log)))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    evtx_process.PARSERS.close()
    before = children()
    yield
    evtx_process.PARSERS.close()
    assert children() <= before


def children() -> set[int]:
    """Return the ids of this process's children, dead or alive."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = path.read_text().rpartition(")")[2].split()[1]
            found |= {int(path.parent.name)} if int(parent) == os.getpid() else set()
    return found


class Reading:
    """A log read to the end by parsers of one kind, which are gone afterwards."""

    def __init__(self, log: bytes, command: Sequence[str] = COMMAND) -> None:
        given, parsers = content(log), Parsers(lambda: Parser(command, SECONDS))
        started = time.monotonic()
        self.texts = joined(portion.records for portion in portions(given, parsers=parsers))
        self.seconds = time.monotonic() - started
        parsers.close()
        outcome = given.job.outcome
        self.faults, self.notices = "\n".join(map(str, outcome.faults)), "\n".join(map(str, outcome.notices))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hang", "took too long"),
        ("crash", "crashed (signal 11)"),
        ("grow", "crashed (exit status 1)"),  # MemoryError
        ("quit", "crashed (exit status 7)"),
    ],
)
def test_a_record_that_breaks_the_parser_costs_only_itself(
    log: bytes, chunks: list[bytes], whole: list[str], fault: str, reason: str
) -> None:
    number = record_ids(chunks[2])[5]
    read = Reading(log, (sys.executable, "-P", FAULTY, fault, str(number)))
    assert len(read.texts) == len(whole) - 1
    assert read.texts == [text for text in whole if f'"EventRecordID":{number},' not in text]
    assert f"record block 3 can't be read whole (the parser {reason}): at least 1 records are lost" in read.faults
    assert read.seconds < 60  # three times 1 s, and the starts, which take long on a busy machine


def test_a_child_killed_in_the_middle_of_its_work_costs_nothing(
    log: bytes, chunks: list[bytes], whole: list[str]
) -> None:
    made: list[Parser] = []
    parsers = Parsers(lambda: made.append(Parser()) or made[-1])  # type: ignore[func-returns-value] # None, on purpose
    given = content(log + b"".join(chunks) * 15, small(records=1))
    texts: list[str] = []
    for count, portion in enumerate(portions(given, parsers=parsers)):
        texts += portion.records["event.original"].to_list()
        busy = [parser.pid for parser in made if parser.asked and parser.pid]
        if count in (3, 70, 140):
            assert busy
            for pid in busy:
                os.kill(pid, signal.SIGKILL)
    parsers.close()
    assert texts == whole * 16
    assert not given.job.outcome.faults


def test_records_around_one_that_made_the_library_spin_are_read(
    log: bytes, chunks: list[bytes], whole: list[str]
) -> None:
    chunk = mutated(chunks[0], random.Random(4218))  # noqa: S311 - evtx 0.14.0 never comes back from this one
    read = Reading(log[:HEADER] + chunk + log[HEADER + CHUNK :])
    assert len(read.texts) > len(whole) - 50
    assert set(read.texts) >= set(whole[108:])
    assert "at least" in read.faults
    assert read.seconds < 60


def test_a_log_that_wastes_too_much_time_is_given_up(
    log: bytes, chunks: list[bytes], whole: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evtx_rescue, "PATIENCE", 2.9 * SECONDS)
    ids = record_ids(chunks[0])
    command = (sys.executable, "-P", FAULTY, "hang", str(ids[-1]))
    read = Reading(log[:HEADER] + chunks[1] + chunks[0] * 9, command)
    assert read.texts == whole[len(ids) : 210] + whole[: len(ids) - 1]  # the first two chunks hold 210
    assert "isn't read from record block 3 on: others held the parser up" in read.faults
    assert "record block 2 can't be read whole (the parser took too long): at least 1 records are lost" in read.faults


def test_an_answer_may_leave_chunks_for_the_next(log: bytes, whole: list[str]) -> None:
    read = Reading(log, (sys.executable, "-P", FAULTY, "brief", "0"))
    assert (read.texts, read.faults, read.notices) == (whole, "", "")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("false",), "the process for it crashed (exit status 1) at its start; reinstall the Python package evtx"),
        (("/nowhere/python",), "can't be parsed: no process can be started (No such file or directory)"),
    ],
)
def test_a_child_that_does_not_start_is_told_once(log: bytes, command: Sequence[str], told: str) -> None:
    read = Reading(log, command)
    assert told in read.faults
    assert read.faults.count("\n") == 0
    assert not read.texts


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("\xff\xff\xff\xff", ""),
        ("\0\0\0\0", ""),
        ("\1\0\0\0", ""),  # nothing is in the file
        ("\1\0\0\0", "\2\0\0\0" + "\0\0\0\0"),  # ids are missing
        ("\1\0\0\0", "\1\0\0\0" + "\xff\xff\xff\x7f" + "\1" * 8),  # more than any chunk gives
        ("\1\0\0\0", "\1\0\0\0" + "\4\0\0\0" + "\1" * 8 + "{}\n"),  # less than it says
        ("\1\0\0\0", "\1\0\0\0" + "\4\0\0\0" + "\1" * 8 + "{}\n\n"),  # two lines of one record
        ("\1\0\0\0", "\1\0\0\0" + "\4\0\0\0" + "\1" * 8 + "{}\n!"),  # a line without an end
    ],
)
def test_a_child_that_talks_nonsense_is_not_believed(chunks: list[bytes], said: str, answer: str) -> None:
    talk = (
        "import os, socket, time; os.write(1, b'R'); files = socket.recv_fds(socket.socket(fileno=0), 13, 9)[1]; "
        f"os.write(files[0], {answer.encode('latin-1')!r}); os.write(1, {said.encode('latin-1')!r}); time.sleep(60)"
    )
    parser = Parser((sys.executable, "-c", talk))
    with pytest.raises(InputError, match="makes no sense"):
        parts(parser, chunks[:1])
    parser.close()


def test_text_that_is_none_harms_nobody(log: bytes) -> None:
    answer = b"\1\0\0\0" + b"\3\0\0\0" + b"\1" * 8 + b"\xc3(\n"
    talk = (
        "import os, socket, time; os.write(1, b'R'); files = socket.recv_fds(socket.socket(fileno=0), 13, 9)[1]; "
        f"os.write(files[0], {answer!r}); os.write(1, b'\\1\\0\\0\\0'); time.sleep(60)"
    )
    assert Reading(log[: HEADER + CHUNK], (sys.executable, "-c", talk)).texts == ["\\\\xc3("]


def test_a_stopped_child_is_replaced(chunks: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evtx_process, "GRACE", 0.5)
    parser = Parser(seconds=SECONDS)
    expected = parts(parser, chunks[:1])
    stopped = parser.pid or 0
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(InputError, match="took too long"):
        parts(parser, chunks[:1])
    assert parts(parser, chunks[:1]) == expected
    assert parser.pid != stopped
    parser.close()


def test_children_are_started_ahead_where_an_event_log_comes_first(tmp_path: Path, log: bytes) -> None:
    for name, started in (("a.log", False), ("a.EVTX", True)):
        (tmp_path / name).write_bytes(log)
        before = children()
        expect([tmp_path / name])
        ahead = children() - before
        assert bool(ahead) == started
        assert scan(tmp_path / name).texts
        assert ahead <= children() - before  # the same ones did the work
        evtx_process.PARSERS.close()
    expect([tmp_path / "nothing.evtx"])  # whoever reads it tells


def test_a_child_that_does_not_start_ahead_is_told_when_it_is_needed(log: bytes) -> None:
    for command in (("false",), ("/nowhere/python",)):
        parsers = Parsers(lambda command=command: Parser(command))  # type: ignore[misc]
        parsers.start()
        given = content(log)
        assert not [*portions(given, parsers=parsers)]
        assert "can't be parsed" in "\n".join(map(str, given.job.outcome.faults))
        parsers.close()


def test_one_child_serves_many_small_logs(log: bytes, chunks: list[bytes]) -> None:
    parsers = Parsers()
    pids, before = set[int](), children()
    for chunk in chunks:
        assert [*portions(content(log[:HEADER] + chunk), parsers=parsers)]
        pids |= children() - before
    assert len(pids) == 1
    parsers.close()


def test_a_child_without_work_ends(log: bytes) -> None:
    before = children()
    assert [*portions(content(log), parsers=Parsers(rest=0.2))]
    until = time.monotonic() + 5
    while children() - before and time.monotonic() < until:
        time.sleep(0.05)
    assert children() <= before


def test_a_reader_that_stops_early_leaves_no_child_at_work(log: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.evtx").write_bytes(log)
    before, files = children(), opened(os.getpid())
    source = FileSource([tmp_path / "log.evtx"], lambda *_: None, limits=small(records=1), dead=print)
    for read in (lambda: portions(content(log, small(records=1)), parsers=Parsers()), source.batches):
        reading: Iterator[object] = read()
        next(reading)
        assert children() - before
        del reading
        source.close()
        assert children() <= before
    assert opened(os.getpid()) == files


def test_a_child_keeps_no_file(chunks: list[bytes]) -> None:
    parser = Parser()
    parts(parser, chunks[:1])
    assert opened(parser.pid or 0) == 3  # requests, answers, and what nobody reads
    parser.close()


def opened(process: int) -> int:
    """Return how many files, pipes and sockets a process has; those of Polars' threads are none of them."""
    names = [str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir() if path.is_symlink()]
    return sum(not name.startswith("anon_inode:") for name in names)


def test_both_sides_speak_alike() -> None:
    assert evtx_process.REQUEST.format == evtx_worker.REQUEST.format
    assert evtx_process.STRETCH.format == evtx_worker.STRETCH.format
    assert evtx_process.STRETCHES == evtx_worker.STRETCHES
    assert evtx_answer.COUNT.format == evtx_worker.COUNT.format
    assert evtx_answer.PART.itemsize == evtx_worker.PART.size


def test_the_child_sees_no_secrets(chunks: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOC_ELASTIC__PASSWORD", "hidden")
    parser = Parser()
    parts(parser, chunks[:1])
    environment = Path(f"/proc/{parser.pid}/environ").read_bytes()
    parser.close()
    assert b"PATH=" in environment
    assert b"hidden" not in environment


@pytest.mark.parametrize("busy", [False, True])
def test_the_child_ends_with_its_parent(tmp_path: Path, chunks: list[bytes], *, busy: bool) -> None:
    (tmp_path / "chunk").write_bytes(chunks[0])
    fault = (sys.executable, "-P", FAULTY, "hang", str(record_ids(chunks[0])[0]))
    code = (
        "import os, time; from connectors.evtx_process import Parser, Stretch\n"
        f"parser = Parser({fault if busy else COMMAND!r}, 1.0)\n"
        "parser.ask([Stretch(os.open('chunk', os.O_RDONLY), 0, 1)])\n"
        f"{'' if busy else 'parser.answer()'}\nprint(parser.pid, flush=True); time.sleep(60)"
    )
    script = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(script, stdout=subprocess.PIPE, cwd=tmp_path, env=environment) as parent:
        assert parent.stdout
        child = Path(f"/proc/{int(parent.stdout.readline())}/stat")
        assert child.exists()
        parent.kill()
    until = time.monotonic() + 10
    while alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(child)


def alive(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_forked_process_has_children_of_its_own(tmp_path: Path, chunks: list[bytes]) -> None:
    (tmp_path / "chunk").write_bytes(chunks[0])
    code = """
import os; from connectors.evtx_process import PARSERS, Stretch
chunk = Stretch(os.open("chunk", os.O_RDONLY), 0, 1)
def read():
    with PARSERS.lend() as parser:
        parser.ask([chunk])
        return parser.answer().parts()[0].lines, parser.pid
lines, pid = read()
if not (forked := os.fork()):
    mine, other = read()
    PARSERS.close()
    os._exit(0 if mine == lines and other != pid else 1)
assert os.waitpid(forked, 0)[1] == 0
assert read() == (lines, pid)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)


def test_records_read_one_at_a_time_are_the_same(chunks: list[bytes]) -> None:
    parser = Parser()
    for chunk in chunks[:3]:
        together = parts(parser, [chunk])[0]
        alone = [part[0] for one in singled(chunk) if (part := parts(parser, [one])[0])[1]]
        assert b"".join(alone) == together[0]
    parser.close()


@pytest.mark.parametrize("seed", range(4))
def test_no_mutated_chunk_holds_the_parser_up(reference: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - has to be the same every time
    logs = [path.read_bytes() for path in chance.sample(sorted(reference.glob("evtx/**/*.evtx")), 30)]
    kinds = [chunk for log in logs for at in range(HEADER, len(log), CHUNK) if plausible(chunk := log[at : at + CHUNK])]
    parser = Parser(seconds=SECONDS)
    for _ in range(1000):
        chunk = mutated(chance.choice(kinds), chance)
        started = time.monotonic()
        try:
            for lines, ids, _errors in parts(parser, [mend(chunk) if chance.random() < 0.5 else chunk]):
                assert len(ids) == lines.count(b"\n")
                lines.decode()
        except InputError as error:
            assert error.message == "took too long"  # noqa: PT017 - an answer is fine, too
        assert time.monotonic() - started < 30 * SECONDS  # a busy machine takes long to start the next one
    parser.close()
