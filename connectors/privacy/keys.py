"""The keys of tokens: a file that only collectors and pipelines read; the last key makes tokens, older ones are known.

{"keys": [{"id": "k1", "secret": "base64 …", "since": "2026-11-28"}], "vault": "base64 of the vault's public key"}
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.errors import Place, UsageError

SECRET: Final = 32  # bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and what tokens call it."""

    id: str
    secret: bytes
    since: str  # the day it was made


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys in the order they were made, and the public key that the vault's entries are closed with."""

    keys: tuple[Key, ...]
    vault: bytes

    @property
    def now(self) -> Key:
        return self.keys[-1]

    def rotated(self, today: date) -> Keys:
        """Return the keys with a new one; values get other tokens from then on."""
        return Keys((*self.keys, fresh(f"k{len(self.keys) + 1}", today)), self.vault)


def fresh(name: str, today: date) -> Key:
    """Make a key."""
    return Key(name, secrets.token_bytes(SECRET), today.isoformat())


def read(path: Path) -> Keys:
    """Read the key file.

    Raises:
        UsageError: there is none, others may read it, or it is damaged.
    """
    try:
        mode = path.stat().st_mode & 0o077
        document: Any = orjson.loads(path.read_bytes())
        keys = tuple(Key(one["id"], _bytes(one["secret"]), one["since"]) for one in document["keys"])
        vault = _bytes(document["vault"])
    except FileNotFoundError:
        raise UsageError("there is no key file", place=Place(str(path)), fix="make it: soc privacy setup") from None
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        fix = "put back the copy you keep apart"
        raise UsageError(f"no key file: {error!r:.80}", place=Place(str(path)), fix=fix) from None
    if mode:
        raise UsageError("others may read the key file", place=Place(str(path)), fix=f"chmod 600 {path}")
    if not keys or any(len(key.secret) != SECRET for key in keys):
        raise UsageError("the key file holds no keys", place=Place(str(path)), fix="put back the copy you keep apart")
    return Keys(keys, vault)


def write(path: Path, keys: Keys) -> None:
    """Write the key file so that only this user reads it, whole or not at all."""
    document = {
        "keys": [{"id": key.id, "secret": text(key.secret), "since": key.since} for key in keys.keys],
        "vault": text(keys.vault),
    }
    private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def private(path: Path, content: bytes) -> None:
    """Put a file that only this user reads in place of what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def text(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)
