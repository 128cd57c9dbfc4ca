"""Reads JSON objects by orjson where that gives what the exact reader gives (`connectors.formats.exact`).

orjson takes the last of equal keys and makes floats of integers beyond 64 bits; the exact reader takes the first, and
keeps every digit.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

DEPTH: Final = 200  # no log nests deeper; a reader that recurses must stop somewhere
KEY: Final = b'":'  # what looks like a key


def loads_canonical(line: bytes) -> dict[str, Any] | None:
    """Read an object that orjson writes just so again, which proves that nothing was lost; None where it isn't one."""
    record = _loads(line)
    if record is None or line.count(b"[") + line.count(b"{") > DEPTH:
        return None
    return record if orjson.dumps(record) == line else None


def loads_once(line: bytes, keys: int) -> dict[str, Any] | None:
    """Read an object in whose line so many texts look like keys; None where it has equal keys.

    Those show by this: the record, written out again, has fewer texts that look like keys.
    """
    record = _loads(line)
    if record is None or len(record) == keys:
        return record
    return record if orjson.dumps(record).count(KEY) == keys else None


def _loads(line: bytes) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None
