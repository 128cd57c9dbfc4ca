"""What was appended is read again, in order, whatever killed the collector and whatever became of the disk."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from connectors.collect.block import Record, blocks, encode
from connectors.collect.spool import Spool
from detectors.errors import InputError, UnavailableError, UsageError

LIMIT = 1 << 20
Opener = Callable[[], Spool]


@pytest.fixture
def told() -> list[InputError]:
    return []


@pytest.fixture
def opened(tmp_path: Path, told: list[InputError]) -> Opener:
    return lambda: Spool(tmp_path / "spool", LIMIT, told.append)


def record(value: bytes, number: int = 1) -> Record:
    return Record("soc.raw.auth", "syslog:192.0.2.7", value, 1767225600000 + number, {"soc-envelope": "1"})


def values(spool: Spool) -> list[bytes]:
    return [each.value for taken in spool.read() for each in taken.block.records]


def killed(spool: Spool) -> None:
    """Let the lock go as the kernel does, and nothing else."""
    spool._owner.close()


def test_what_is_appended_is_read_with_all_its_parts(opened: Opener) -> None:
    spool = opened()
    spool.append([record(b"a"), record(b"\x00\xff", 2)], {"file:/a": {"offset": 7}})
    (taken,) = spool.read()
    assert taken.block.records == (record(b"a"), record(b"\x00\xff", 2))
    assert taken.block.marks == {"file:/a": {"offset": 7}}
    assert list(spool.read(taken.after)) == []


def test_after_a_kill_records_and_marks_are_there(opened: Opener) -> None:
    spool = opened()
    spool.append([record(b"a")], {"file:/a": {"offset": 7}, "file:/b": {"offset": 1}})
    spool.keep_state()
    spool.append([record(b"b")], {"file:/a": {"offset": 9}, "file:/b": None})
    killed(spool)
    again = opened()
    assert values(again) == [b"a", b"b"]
    assert again.marks == {"file:/a": {"offset": 9}}
    again.append([record(b"c")], {})
    assert values(again) == [b"a", b"b", b"c"]


def test_what_kafka_has_is_not_read_again_and_leaves_the_disk(opened: Opener, tmp_path: Path) -> None:
    spool = opened()
    for number in range(30):
        spool.append([record(b"%d" % number + b"x" * 30_000)], {})
    assert spool.size > 900_000
    taken = list(spool.read())
    spool.acknowledge(taken[19].after)
    assert [value[:2] for value in values(spool)] == [b"%d" % number for number in range(20, 30)]
    assert spool.waiting < 11 * 31_000
    killed(spool)
    again = opened()
    assert len(values(again)) == 10
    again.acknowledge(taken[-1].after)
    again.close()
    assert list((tmp_path / "spool").glob("*.spool")) == []


def test_it_is_full_at_its_limit_and_keeps_the_oldest(opened: Opener) -> None:
    spool = opened()
    while not spool.full:
        spool.append([record(b"x" * 100_000)], {})
    assert LIMIT <= spool.size < LIMIT + 110_000
    first = next(spool.read())
    spool.acknowledge(list(spool.read())[4].after)
    assert not spool.full
    assert first.block.records[0].value == b"x" * 100_000


@given(torn=st.integers(1, 300), garbage=st.binary(max_size=64))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_write_costs_only_itself(
    torn: int, garbage: bytes, tmp_path_factory: pytest.TempPathFactory, told: list[InputError]
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    spool = Spool(folder, LIMIT, told.append)
    spool.append([record(b"a")], {"f": {"offset": 1}})
    spool.append([record(b"b" * 200)], {"f": {"offset": 2}})
    killed(spool)
    (segment,) = folder.glob("*.spool")
    whole = segment.read_bytes()
    assume(not (whole[:-torn] + garbage).startswith(whole))
    segment.write_bytes(whole[:-torn] + garbage)
    again = Spool(folder, LIMIT, told.append)
    kept = values(again)
    assert kept in ([b"a"], [])
    assert again.marks == ({"f": {"offset": 1}} if kept else {})
    again.append([record(b"c")], {})
    assert values(again) == [*kept, b"c"]
    assert told == []  # nobody was told that it is safe
    killed(again)


def test_damage_costs_its_block_and_is_kept_for_people(opened: Opener, tmp_path: Path, told: list[InputError]) -> None:
    spool = opened()
    for value in (b"a", b"b", b"c"):
        spool.append([record(value * 100)], {})
    killed(spool)
    (segment,) = (tmp_path / "spool").glob("*.spool")
    segment.write_bytes(segment.read_bytes().replace(b"b" * 100, b"b" * 50 + b"!" + b"b" * 49))
    again = opened()
    assert [value[:1] for value in values(again)] == [b"a", b"c"]
    assert "damaged" in str(told[0])
    (aside,) = (tmp_path / "spool").glob("*.damaged")
    assert b"!" in aside.read_bytes()


def test_a_damaged_state_sends_all_again(opened: Opener, tmp_path: Path, told: list[InputError]) -> None:
    spool = opened()
    spool.append([record(b"a")], {"f": {"offset": 1}})
    spool.acknowledge(next(spool.read()).after)
    killed(spool)
    (tmp_path / "spool" / "state.json").write_bytes(b"{")
    again = opened()
    assert values(again) == [b"a"]
    assert again.marks == {"f": {"offset": 1}}
    assert "state.json" in str(told[0])


def test_only_its_user_may_read_it(opened: Opener, tmp_path: Path) -> None:
    spool = opened()
    spool.append([record(b"a")], {})
    spool.keep_state()
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    for path in (tmp_path / "spool").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_two_collectors_can_not_share_it(opened: Opener) -> None:
    first = opened()
    with pytest.raises(UsageError, match="another collector"):
        opened()
    first.close()
    opened().close()


def test_a_disk_that_takes_no_more_keeps_nothing_of_the_block(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened()
    spool.append([record(b"a")], {})

    def half(file: object, data: bytes) -> None:
        file.write(data[:20])  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("connectors.collect.spool._write", half)
        with pytest.raises(UnavailableError, match="No space left"):
            spool.append([record(b"b")], {"f": {"offset": 1}})
    spool.append([record(b"c")], {})
    assert values(spool) == [b"a", b"c"]
    assert spool.marks == {}


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_blocks_are_found_between_anything(before: bytes, after: bytes) -> None:
    block = encode([record(b"a")], {})
    found = list(blocks(before + block + after))
    assert found[-1][0] == len(before + block + after)
    assert any(getattr(each, "records", ()) == (record(b"a"),) for _, each in found)
