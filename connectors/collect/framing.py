r"""Messages out of a TCP stream of syslog (RFC 6587).

    octet counting    "83 <34>1 2026-03-02T08:15:00Z fw01 … 17 <34>Mar  2 …"    the size, a space, the message
    non-transparent   "<34>Mar  2 08:15:00 fw01 …\n"                            LF, CR LF or NUL ends the message

Which of the two a sender uses shows at its first bytes, and holds for the connection. A size that is none ends the
counting: what follows is lines, so nothing is lost.
"""

from __future__ import annotations

import re
from typing import Final

COUNT: Final = re.compile(rb"([1-9][0-9]{0,8}) ")
UNDECIDED: Final = re.compile(rb"[1-9][0-9]{0,8} ?")  # may yet become a size, and what it counts begin with "<"
STRIPPED: Final = b"\r\n\0"


class Framer:
    """Takes what comes and gives messages; holds at most `longest` bytes.

    Of a longer message the first `longest` bytes are given, and `cut` counts the bytes that were left out: what could
    be a forged message in the middle of one must not become one.
    """

    def __init__(self, longest: int, *, counting: bool | None = None) -> None:
        self.cut = 0
        self._longest = longest
        self._counting = counting  # None: not yet known
        self._held = bytearray()
        self._needed = 0  # bytes to hold before it is worth looking at them again
        self._skip = 0  # bytes of a counted message that are still to come and are left out
        self._past_line = False  # the rest of the line is left out

    @property
    def pending(self) -> bool:
        """Whether a message has begun whose end hasn't come."""
        return bool(self._held) or self._past_line or self._skip > 0

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now."""
        if self._counting is None:
            data = self._taken() + data
            self._counting = _counts(data)
            if self._counting is None:
                self._held += data
                return []
        if self._counting:
            self._held += data
            return self._counted(self._taken()) if len(self._held) >= self._needed else []
        return self._lines(data)

    def shed(self) -> list[bytes]:
        """Give the message that is held as far as it has come, and leave out its rest."""
        held = self._taken()
        if self._counting and (size := COUNT.match(held)):
            self._skip = max(0, int(size[1]) - (len(held) - size.end()))
            self.cut += self._skip
            return _nonempty([held[size.end() :]])
        self._past_line = bool(held)
        return _nonempty([held])

    def end(self) -> list[bytes]:
        """Return what is left when the sender has hung up."""
        held = self._taken()
        size = COUNT.match(held) if self._counting else None
        return _nonempty([held[size.end() if size else 0 :]])

    def _taken(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        self._needed = 0
        return held

    def _lines(self, data: bytes) -> list[bytes]:
        data = data.replace(b"\0", b"\n")
        if self._past_line:
            rest, newline, data = data.partition(b"\n")
            self.cut += len(rest)
            self._past_line = not newline
        *whole, rest = data.split(b"\n")
        if whole and self._held:
            whole[0] = self._taken() + whole[0]
        self._held += rest
        found = [self._shortened(line) for line in whole]
        if len(self._held) > self._longest:
            found.append(self._shortened(self._taken()))
            self._past_line = True
        return _nonempty(found)

    def _shortened(self, line: bytes) -> bytes:
        self.cut += max(0, len(line) - self._longest)
        return line[: self._longest]

    def _counted(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                at, self._skip = at + step, self._skip - step
            elif data[at] in STRIPPED:  # some end a counted message with one of these as well
                at += 1
            elif (size := COUNT.match(data, at)) is None:
                if UNDECIDED.fullmatch(data, at):
                    break
                self._counting = False
                return _nonempty(found) + self._lines(data[at:])
            else:
                end = size.end() + min(int(size[1]), self._longest)
                if end > len(data):
                    self._needed = end - at
                    break
                found.append(data[size.end() : end])
                self._skip = max(0, int(size[1]) - self._longest)
                self.cut += self._skip
                at = end
        self._held += data[at:]
        return _nonempty(found)


def _nonempty(messages: list[bytes]) -> list[bytes]:
    return [kept for message in messages if (kept := message.rstrip(STRIPPED))]


def _counts(data: bytes) -> bool | None:
    """Say whether a stream that begins so counts octets; None where more is needed to tell."""
    size = COUNT.match(data)
    if size and len(data) > size.end():
        return data[size.end() : size.end() + 1] == b"<"
    return None if not data or UNDECIDED.fullmatch(data) else False
