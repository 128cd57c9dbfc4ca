from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.content import Limits
from connectors.unpack import unpack
from tests.connectors.reading import content, scan, scan_bytes

LOG = b"one\ntwo\n"
NOISE = random.Random(7).randbytes(200_000).hex().encode()  # noqa: S311 - text that doesn't pack well


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "gzip members": lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]),
    "zstd": zstd,
    "zstd frames": lambda data: zstd(data[:3]) + zstd(data[3:]),
    "zip": lambda data: zipped(("a.log", data)),
    "tar": lambda data: tarred(("a.log", data)),
    "tar.gz": lambda data: gzip.compress(tarred(("a.log", data))),
    "zip of gzip": lambda data: zipped(("a.gz", gzip.compress(data))),
    "zip of tar.zst": lambda data: zipped(("a", zstd(tarred(("a.log", data))))),
    "tar.gz of zip": lambda data: gzip.compress(tarred(("a.zip", zipped(("a.log", data))))),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_log_keeps_its_records_and_origin_however_it_is_packed(packing: str, tmp_path: Path) -> None:
    plain = scan_bytes(tmp_path, LOG)
    packed = scan_bytes(tmp_path, PACKINGS[packing](LOG))
    assert packed.texts == ["one", "two"]
    assert packed.offsets == [0, 4]
    assert packed.origins == plain.origins
    assert not packed.faults


def test_members_are_labelled_by_archive_and_name(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(zipped(("b.gz", gzip.compress(LOG)), ("sub/c.tar", tarred(("d.log", LOG)))))
    assert scan(tmp_path).labels == [f"{tmp_path}/x!b.gz", f"{tmp_path}/x!sub/c.tar!d.log"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tar_names_are_only_words(form: int, tmp_path: Path) -> None:
    names = ["/etc/passwd", "../../outside", "new\nline\x1b[2J", "long/" + "é" * 40]
    before = set(tmp_path.parent.rglob("*"))
    (tmp_path / "t").write_bytes(tarred(*((name, LOG) for name in names), form=form))
    found = scan(tmp_path)
    assert [label.partition("!")[2] for label in found.labels] == [*names[:2], "new\\nline\\x1b[2J", names[3]]
    assert set(tmp_path.parent.rglob("*")) - before == {tmp_path / "t"}


def test_links_and_folders_in_a_tar_are_passed_over(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("pipe", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("log")
        info.size = len(LOG)
        archive.addfile(info, io.BytesIO(LOG))
    assert scan_bytes(tmp_path, buffer.getvalue()).texts == ["one", "two"]


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_cut_off_file_gives_what_can_be_read_and_a_fault(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    lines = b"".join(NOISE[at : at + 100] + b"\n" for at in range(0, len(NOISE), 100))
    found = scan_bytes(tmp_path, pack(lines)[:-20_000])
    assert len(found.texts) > 1000
    assert found.texts[:1000] == lines.decode().splitlines()[:1000]
    assert "given: the data is cut off; what stood before it was read" in found.faults
    assert len(found.outcome.faults) == 1


def test_damage_costs_the_rest_of_that_member_only(tmp_path: Path) -> None:
    data = bytearray(zipped(("a", NOISE), ("b", LOG)))
    data[1000:1100] = bytes(100)
    found = scan_bytes(tmp_path, bytes(data))
    assert found.texts[-2:] == ["one", "two"]
    assert "given!a: the data is damaged" in found.faults


def test_a_cut_off_tar_gz_is_one_fault(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, gzip.compress(tarred(("a", LOG), ("b", NOISE)))[:-1000])
    assert found.texts[:2] == ["one", "two"]
    assert [fault.message for fault in found.outcome.faults] == ["the data is cut off"]


def test_a_cut_off_zip_is_a_fault(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, zipped(("a", LOG))[:-30])
    assert "the archive is damaged: no list of members at its end" in found.faults


def test_an_encrypted_member_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    data = bytearray(zipped(("secret", LOG), ("open", LOG)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = scan_bytes(tmp_path, bytes(data))
    assert "given!secret: is encrypted; unpack it with its password" in found.faults
    assert found.texts == ["one", "two"]


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstd, lambda data: zipped(("zeros", data))], ids=["gzip", "zstd", "zip"]
)
def test_a_bomb_is_stopped(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, zipped(("bomb", pack(bytes(100 << 20))), ("log", LOG)))
    assert "unpacks to more than 1000 times its size" in found.faults
    assert found.texts[-2:] == ["one", "two"]


def test_a_file_yields_no_more_than_the_limit(tmp_path: Path) -> None:
    limits = Limits(unpacked=300_000, batch=2000, line=1000, kept=10)
    found = scan_bytes(tmp_path, gzip.compress(b"a line of text\n" * 100_000), limits)
    assert "more than 300000 bytes come out of this file; unpack it yourself" in found.faults
    assert 0 < len(found.texts) < 100_000


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_of_too_many_members_is_refused(pack: Callable[..., bytes], tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, pack(*((f"{n}", LOG) for n in range(4))), Limits(members=3))
    assert "members" in found.faults


def test_too_many_layers_are_refused(tmp_path: Path) -> None:
    data = LOG
    for _ in range(7):
        data = gzip.compress(data)
    assert "is packed in more than 6 layers" in scan_bytes(tmp_path, data).faults


def test_an_extended_tar_header_of_any_size_costs_no_memory(tmp_path: Path) -> None:
    header = bytearray(tarred(("x", LOG), form=tarfile.USTAR_FORMAT)[:512])
    header[124:136], header[156:157] = b"77777777777\0", b"x"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert "an extended header of 8589934591 bytes" in scan_bytes(tmp_path, bytes(header)).faults


def test_a_zip_that_announces_a_huge_list_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(("a", LOG)))
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 1 << 30)
    assert "holds more than 100000 members" in scan_bytes(tmp_path, bytes(data)).faults


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PACKINGS)), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12))
def test_no_damage_raises(packing: str, damage: list[tuple[float, int]]) -> None:
    data = bytearray(PACKINGS[packing](LOG * 20))
    for where, value in damage:
        data[int(where * len(data))] = value
    for log in unpack(content(bytes(data))):
        while log.read(1 << 16):
            pass
