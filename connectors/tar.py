"""Read a tar stream member by member in bounded memory; nothing is written to disk and no link is followed.

`tarfile` loads a member's extended header whole, whatever size it claims, so only its decoder of one header is used.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator

from detectors.errors import InputError

BLOCK = 512
EXTENDED = 1 << 20  # no honest extended header (long names, attributes) is larger
PAX = re.compile(rb"\d+ (path|size|GNU\.sparse\.[a-z]+)=([^\n]*)\n")  # 30 path=var/log/nginx/access.log


class Member:
    """A file in the archive; `read` must be exhausted before the next member, or the rest of it is skipped."""

    def __init__(self, name: str, size: int, source: Callable[[int], bytes]) -> None:
        self.name = name
        self._source = source
        self._left = size
        self._padding = -size % BLOCK

    def read(self, size: int) -> bytes:
        data = self._source(min(size, self._left))
        if not data and self._left:
            raise EOFError
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Move to the next header; at an early end there is none, which the caller then sees."""
        self._left += self._padding
        self._padding = 0
        while self._left and (data := self._source(min(self._left, EXTENDED))):
            self._left -= len(data)


def members(source: Callable[[int], bytes]) -> Iterator[Member]:
    """Yield the regular files of the archive that `source` reads."""
    told: dict[str, bytes] = {}  # what extended headers say of the next member
    while block := source(BLOCK):
        if not block.strip(b"\0"):  # the end of the archive
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise InputError(f"the tar archive is damaged: {error}") from error
        size = int(told.get("size", info.size))
        if size < 0:
            raise InputError("the tar archive is damaged: a member of negative size")
        member = Member(_name(info, told), size, source)
        if info.type in {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME}:
            told |= _extended(info, member)
        else:
            if info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in told):
                raise InputError(f"holds the sparse file {member.name!r}", fix="unpack it yourself and scan the result")
            if info.isreg():
                yield member
            told = {}
        member.skip()


def _name(info: tarfile.TarInfo, told: dict[str, bytes]) -> str:
    return told["path"].decode("utf-8", "surrogateescape") if "path" in told else info.name


def _extended(info: tarfile.TarInfo, member: Member) -> dict[str, bytes]:
    if info.size > EXTENDED:
        raise InputError(f"the tar archive is damaged: an extended header of {info.size} bytes")
    data = member.read(info.size) if info.size else b""
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0")}
    return {key.decode(): value for key, value in PAX.findall(data)}
