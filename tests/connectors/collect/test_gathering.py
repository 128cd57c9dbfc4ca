"""From lines to envelopes on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from connectors.collect.gathering import Gathering
from connectors.collect.numbers import Numbers
from connectors.collect.spool import Spool
from connectors.envelope import Origin
from detectors.errors import UnavailableError
from tests.connectors.collect.conftest import Parts


def test_each_origin_has_its_envelope_and_each_envelope_its_name(parts: Parts) -> None:
    for number in range(3):
        parts.gathering.take("auth", Origin("udp", f"192.0.2.{number}"), [b"a", b"b"])
        parts.gathering.take("nginx", Origin("udp", f"192.0.2.{number}"), [b"c"])
    found = parts.envelopes()
    assert len(found) == 6
    assert len({envelope.id for _, envelope in found}) == 6
    assert {topic for topic, _ in found} == {"soc.raw.auth", "soc.raw.nginx"}


def test_lines_are_protected_before_they_are_written(tmp_path: Path) -> None:
    def protect(source: str, lines: Sequence[str]) -> Sequence[str]:
        return [line.replace("0912345678", "T1") if source == "hotline_1022" else line for line in lines]

    spool = Spool(tmp_path / "spool", 1 << 20, print)
    gathering = Gathering(spool, Numbers(), protect)
    gathering.take("hotline_1022", Origin("http", name="a"), [b"phone 0912345678"])
    gathering.write()
    spool.close()
    assert b"0912345678" not in b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())


def test_a_line_that_fits_no_envelope_is_a_dead_letter(parts: Parts) -> None:
    parts.gathering.take("auth", Origin("file", path="/a"), [b"a", b"\x01" * 200_000, b"b"])
    assert parts.lines() == ["a", "b"]
    (letter,) = [each for taken in parts.spool.read() for each in taken.block.records if each.topic == "soc.dead"]
    assert "doesn't fit" in orjson.loads(letter.value)["error.message"]


def test_while_the_disk_takes_nothing_lines_are_held_and_senders_wait(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise UnavailableError("no space")

    parts.gathering.take("auth", Origin("file"), [b"a"], {"f": {"offset": 1}})
    with monkeypatch.context() as patched:
        patched.setattr(parts.spool, "append", fails)
        assert not parts.gathering.write()
        assert parts.gathering.full
    assert parts.gathering.write()
    assert not parts.gathering.full
    assert parts.lines() == ["a"]
    assert parts.spool.marks == {"f": {"offset": 1}}


def test_much_is_written_without_waiting(parts: Parts) -> None:
    parts.gathering.take("auth", Origin("file"), [b"x" * 1000] * 5000)
    assert parts.gathering.held == 0
    assert len(parts.lines()) == 5000


def test_names_grow_also_when_the_clock_is_set_back() -> None:
    clock = iter([1_800_000_000.0, 1_800_000_000.0, 1_700_000_000.0, 1_800_000_001.0])
    numbers = Numbers(lambda: next(clock))
    given = [numbers.next() for _ in range(4)]
    assert given == sorted(set(given))
    assert max(given) < 2**63
