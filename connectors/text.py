"""Read a log that is text: find its encoding, and whether it is lines or JSON documents."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from connectors import documents
from connectors.content import Content
from connectors.lines import Portion, ReadInto, lines, records

HEAD = 64 << 10
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
CONTROLS = bytes({*range(1, 32), 127} - set(b"\t\n\r\f\x1b"))  # ESC: terminals colour logs

FOREIGN = {
    "bzip2": rb"BZh[1-9]1AY&SY",
    "xz": rb"\xfd7zXZ\0",
    "7-Zip": rb"7z\xbc\xaf\x27\x1c",
    "RAR": rb"Rar!\x1a\x07",
    "LZ4": rb"\x04\x22\x4d\x18",
}


class Text:
    """A content as UTF-8; `start` is the offset of its first byte after the mark of its encoding.

    Offsets of UTF-16 are those of its text in UTF-8. Bytes that its encoding doesn't know become escapes.
    """

    def __init__(self, content: Content) -> None:
        self._content, self._ahead = content, b""
        mark, codec = _encoding(content.peek(HEAD))
        content.read(len(mark))
        self.start = len(mark) if codec == "utf-8" else 0
        self._decoder = None if codec == "utf-8" else codecs.getincrementaldecoder(codec)("backslashreplace")

    def read(self, size: int) -> bytes:
        """Return about `size` bytes, none only at the end."""
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        return ahead if len(ahead) == size else ahead + self._decoded(size - len(ahead))

    @property
    def into(self) -> ReadInto | None:
        """What reads into memory that is there, where bytes stay as they are."""
        return None if self._decoder else self._filled

    def _filled(self, into: memoryview) -> int:
        ahead, self._ahead = self._ahead[: len(into)], self._ahead[len(into) :]
        into[: len(ahead)] = ahead
        return len(ahead) + self._content.fill(into[len(ahead) :])

    def unread(self, data: bytes) -> None:
        """Put back what was read."""
        self._ahead = data + self._ahead

    def _decoded(self, size: int) -> bytes:
        if self._decoder is None:
            return self._content.read(size)
        while data := self._content.read(size):
            if text := self._decoder.decode(data):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode()


def refusal(head: bytes) -> tuple[str, str] | None:
    """Return why a content can't be text, and what to do about it."""
    for kind, magic in FOREIGN.items():
        if re.match(magic, head):
            return f"is packed by {kind}, not read here", "unpack it and scan the result"
    if _encoding(head)[1] == "utf-8" and _is_binary(head.replace(b"\0", b"")):  # a crash leaves NULs in logs
        return "is not a log: its content is binary", "leave it out, or convert it to text"
    return None


def _is_binary(head: bytes) -> bool:
    controls = len(head) - len(head.translate(None, CONTROLS))
    return controls + head.decode("utf-8", "replace").count("\ufffd") > 0.3 * len(head)


def portions(content: Content) -> Iterator[Portion]:
    """Yield the records of a text."""
    text, limits = Text(content), content.job.limits
    raw = text.read(HEAD)
    text.unread(raw)
    head = raw.decode("utf-8", "surrogateescape")
    if documents.is_document(head, whole=len(raw) < HEAD):
        document = text.read(limits.document + 1)
        if len(document) <= limits.document:
            yield from _document(content, text, document)
            return
        if not documents.is_object(document[: document.rfind(b"\n")].rpartition(b"\n")[2]):
            fix = "split it, or write one object per line (jq -c '.[]')"
            content.fail(f"is a JSON document larger than {limits.document} bytes", fix)
            return
        text.unread(document)  # lines of JSON, the first of them broken
    into = text.into if len(raw) == HEAD else None  # a small file needs no memory of its own
    yield from lines(text.read, limits, into=into, start=text.start, json=head.lstrip().startswith("{"))


def _document(content: Content, text: Text, document: bytes) -> Iterator[Portion]:
    """Yield the objects of a document; where it stops being JSON it goes on as lines: nothing hides behind."""
    limits, batch, size, given = content.job.limits, list[str](), 0, 0
    decoded, broken = document.decode("utf-8", "surrogateescape"), -1
    try:
        for record in documents.objects(decoded):
            batch.append(record)
            size += len(record)
            if size >= limits.batch or len(batch) >= limits.records:
                yield _records(batch, given)
                batch, size, given = [], 0, given + len(batch)
    except documents.BrokenError as error:
        broken = error.at
        if given or batch:
            content.job.outcome.fault(content.label, str(error), "what follows was read as lines; export it again")
    if batch:
        yield _records(batch, given)
    if broken >= 0:
        rest = decoded[broken:].encode("utf-8", "surrogateescape")
        text.unread(rest)
        yield from lines(text.read, limits, start=text.start + len(document) - len(rest))


def _records(batch: list[str], given: int) -> Portion:
    return Portion(records(batch, range(given, given + len(batch))))


def _encoding(head: bytes) -> tuple[bytes, str]:
    """Return the mark at a text's head and its codec; UTF-16 without a mark shows by its NULs."""
    for mark, codec in BOMS.items():
        if head.startswith(mark):
            return mark, codec
    even, odd, half = head[0::2].count(0), head[1::2].count(0), len(head) / 2
    if odd > 0.4 * half and even < 0.05 * half:
        return b"", "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return b"", "utf-16-be"
    return b"", "utf-8"
