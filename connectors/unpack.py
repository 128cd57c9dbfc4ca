"""Open compressed files and archives, recognised by content, and stream the logs inside, however they are packed.

    access.log.gz            gz ─► log
    backup.tar.gz            gz ─► tar ─► log, log, …
    case-17.zip              zip ─► log, gz ─► log, tar ─► …

Everything is a stream: memory does not depend on what is inside. Only a zip inside another archive, which must be read
from its end, waits in a temporary file. Damage costs the rest of that member and is told in the `Outcome`.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

import zstandard

from connectors import tar
from connectors.content import AGAIN, UNREADABLE, Content, clean
from detectors.errors import InputError


def unpack(content: Content, depth: int = 0) -> Iterator[Content]:
    """Yield every log in `content`, which is itself one when it isn't packed. Each must be read before the next."""
    layer = _layer(content.peek(512))
    if layer is None:
        yield content
    elif depth == content.job.limits.nesting:
        content.fail(f"is packed in more than {depth} layers", "unpack it yourself and scan the result")
    else:
        try:
            for inner in layer(content):
                yield from unpack(inner, depth + 1)
        except InputError as error:
            content.fail(error.message, error.fix or AGAIN)
        except UNREADABLE as error:
            content.fail(f"the archive is damaged: {clean(str(error))}")


def _layer(head: bytes) -> Callable[[Content], Iterator[Content]] | None:
    if head[257:262] == b"ustar":
        return _tar
    return next((layer for magic, layer in LAYERS.items() if head.startswith(magic)), None)


def _gzip(content: Content) -> Iterator[Content]:
    with gzip.GzipFile(fileobj=content) as file:
        yield content.inner(content.label, file.read1, lambda: content.size)


def _zstd(content: Content) -> Iterator[Content]:
    yield content.inner(content.label, _Zstd(content).read, lambda: content.size)


class _Zstd:
    """Reads frames one after another; unlike the library's own reader it tells a cut-off file from a whole one."""

    INPUT = 512  # one byte can stand for 32 KiB of output, and the library returns it all at once

    def __init__(self, content: Content) -> None:
        self._content = content
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._unused = b""

    def read(self, _: int) -> bytes:
        while data := self._unused or self._content.read(self.INPUT):
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj()
            output, self._unused = self._frame.decompress(data), b""
            if self._frame.eof:
                self._unused, self._frame = self._frame.unused_data, None
            if output:
                return output
        if self._frame is not None:
            raise EOFError
        return b""


def _zip(content: Content) -> Iterator[Content]:
    limits, file = content.job.limits, content.seekable_file()
    if _directory_size(file) > 512 * limits.members:
        raise InputError(f"holds more than {limits.members} members", fix="unpack it yourself and scan the result")
    with zipfile.ZipFile(file) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > limits.members:
            raise InputError(f"holds {len(members)} members, the limit is {limits.members}", fix="unpack it yourself")
        if not members:
            content.job.outcome.notice(content.label, "the archive is empty")
        for info in members:
            yield from _zip_member(content, archive, info)


def _zip_member(content: Content, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Content]:
    label, outcome = f"{content.label}!{clean(info.filename)}", content.job.outcome
    if info.flag_bits & 0x1:
        outcome.fault(label, "is encrypted", "unpack it with its password and scan the result")
        return
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}:
        outcome.fault(
            label, f"is packed by method {info.compress_type}, not read here", "unpack it and scan the result"
        )
        return
    try:
        member = archive.open(info)
    except UNREADABLE as error:
        outcome.fault(label, f"the member is damaged: {clean(str(error))}", AGAIN)
        return
    with member:
        yield content.inner(label, member.read, lambda: info.compress_size)


def _directory_size(file: IO[bytes]) -> int:
    """Return how long the list of members at a zip's end is: `zipfile` loads it whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (66 << 10)))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise EOFError("no list of members at its end")
    small = struct.unpack_from("<I", tail, at + 12)[0] if len(tail) >= at + 16 else 0
    large = tail.rfind(b"PK\x06\x06", 0, at)  # zip64 writes the true size into a record of its own
    return max(small if small < 0xFFFFFFFF else 0, struct.unpack_from("<Q", tail, large + 40)[0] if large >= 0 else 0)


def _tar(content: Content) -> Iterator[Content]:
    limits = content.job.limits
    for count, member in enumerate(tar.members(content.read), 1):
        if count > limits.members:
            raise InputError(f"holds more than {limits.members} members", fix="unpack it yourself")
        yield content.inner(f"{content.label}!{clean(member.name)}", member.read)


LAYERS: dict[bytes, Callable[[Content], Iterator[Content]]] = {
    b"\x1f\x8b\x08": _gzip,
    b"\x28\xb5\x2f\xfd": _zstd,
    b"PK\x03\x04": _zip,
    b"PK\x05\x06": _zip,  # an empty archive
}
