"""Cut JSON that isn't one object per line into records: one compact object each.

    [{"a": 1}, {"a": 2}]                     an array
    {"Records": [{"eventName": "GetUser"}]}  one list under a name, as cloud services export
    { ⏎ "a": 1 ⏎ } ⏎ { ⏎ "a": 2 ⏎ }          pretty-printed objects, one after another

A document that breaks off gives the objects before the break.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import orjson

WRAPPERS = frozenset({"records", "events", "value", "logs", "items", "results", "logevents"})
ARRAY = re.compile(r"\s*\[\s*(\{|\]\s*$)")
# the first line of a pretty-printed object always breaks after one of these
PRETTY = re.compile(r'\s*\{\s*("[^\n]*[\[{,]\s*)?$')
# {"nextToken": null, "Records": [{
WRAPPED = re.compile(r'\s*\{(?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,)*\s*"[^"\\]*"\s*:\s*\[(?=\s*\{)')
BETWEEN = re.compile(r"[\s,\[\]]*")
DECODER = json.JSONDecoder()


class BrokenError(ValueError):
    """The text stops being JSON at a character; the records before it were given."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the JSON breaks off at character {at}")
        self.at = at


def is_document(head: str, *, whole: bool) -> bool:
    """Say whether a file that begins with `head` is such JSON and not lines; `whole` says that `head` is all of it."""
    first, newline, others = head.lstrip().partition("\n")
    if ARRAY.match(head):
        return True
    if is_object(first):
        return whole and not others.strip() and WRAPPED.match(first) is not None
    if PRETTY.match(first.rstrip()) and newline:
        return True
    return not newline and WRAPPED.match(first) is not None


def is_object(line: str | bytes) -> bool:
    """Say whether a line is one whole JSON object."""
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def objects(text: str) -> Iterator[str]:
    """Yield the records of a document as compact JSON; raise BrokenError where it stops being JSON."""
    at, cut = _next(text, 0), False
    while at < len(text):
        try:
            value, end = DECODER.raw_decode(text, at)
            found = [_compact(member) for member in _unwrap(value)]  # may meet the limit of depth just like the decoder
        except (ValueError, RecursionError) as error:
            wrapped = WRAPPED.match(text, at)
            if wrapped is None:
                raise BrokenError(at) from error
            at, cut = wrapped.end(), True  # its list is cut off: the members are read one by one
        else:
            yield from found
            at = end
        at = _next(text, at)
    if cut:
        raise BrokenError(at)


def _next(text: str, at: int) -> int:
    match = BETWEEN.match(text, at)
    return match.end() if match else at


def _unwrap(value: object) -> list[object]:
    """Return the members of an object's one list when the object is but a wrapper around it, else the object."""
    if not isinstance(value, dict):
        return [value]
    lists = [(name, member) for name, member in value.items() if isinstance(member, list)]
    if len(lists) != 1:
        return [value]
    name, members = lists[0]
    bare = len(value) == 1
    known = name.lower() in WRAPPERS and not any(isinstance(other, dict) for other in value.values())
    holds = bool(members) and all(isinstance(member, dict) for member in members)
    return members if holds and (bare or known) else [value]


def _compact(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer beyond 64 bits, or half of a surrogate pair
        return json.dumps(value, separators=(",", ":"))
