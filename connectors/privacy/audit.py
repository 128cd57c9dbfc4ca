"""Who asked what a token stands for: an append-only file whose records chain, so that a change shows.

Each line holds the SHA-256 of the line before. What only two custodians can do (revealing) is signed with a key made
from the vault's private key (Ed25519, RFC 8032), so nobody who merely writes the file can invent or renumber it. A cut
at the end shows only against a number that was noted elsewhere: `soc reveal --verify` prints count and last hash.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.privacy.keys import text
from detectors.errors import InputError, Place

FIRST: Final = "0" * 64
SIGNED: Final = frozenset({"revealed", "not found", "created"})


@dataclass(frozen=True, slots=True)
class State:
    """How far the chain goes."""

    records: int = 0
    last: str = FIRST  # hash of the last line
    signer: str = ""  # public key of the first record that is signed


def record(path: Path, entry: Mapping[str, str], key: X25519PrivateKey | None = None) -> State:
    """Append an entry, signed if there is a key; when this returns it is on the disk.

    Raises:
        InputError: the chain is broken; nothing is added to it then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = _walk(path, file.read())
        body: dict[str, Any] = {"number": state.records + 1, **entry, "previous": state.last}
        if key is not None:
            body["signature"] = text(signer(key).sign(_canonical(body)))
            body["signer"] = text(signer(key).public_key().public_bytes_raw())
        line = _canonical(body)
        file.write(line + b"\n")
        os.fsync(file.fileno())
    return State(state.records + 1, _digest(line), state.signer or body.get("signer", ""))


def verify(path: Path) -> State:
    """Walk the whole chain.

    Raises:
        InputError: a record was changed, left out or put in, with its line.
    """
    return _walk(path, path.read_bytes() if path.is_file() else b"")


def signer(key: X25519PrivateKey) -> Ed25519PrivateKey:
    """Return the key that records are signed with."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"soc audit" + key.private_bytes_raw()).digest())


def _walk(path: Path, data: bytes) -> State:
    state = State()
    if data and not data.endswith(b"\n"):
        raise _broken(path, data.count(b"\n") + 1, "is cut off")
    for number, line in enumerate(data.splitlines(), 1):
        try:
            body: dict[str, Any] = orjson.loads(line)
            chained = body["number"] == number and body["previous"] == state.last and _canonical(body) == line
        except (ValueError, KeyError, TypeError):
            chained, body = False, {}
        if not chained:
            raise _broken(path, number, "doesn't follow from the one before")
        if body["action"] in SIGNED and not _signed(body, state.signer):
            raise _broken(path, number, "is not signed by two custodians")
        state = State(number, _digest(line), state.signer or body.get("signer", ""))
    return state


def _signed(body: Mapping[str, Any], known: str) -> bool:
    unsigned = {name: value for name, value in body.items() if name not in {"signature", "signer"}}
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(body["signer"]))
        key.verify(base64.b64decode(body["signature"]), _canonical(unsigned))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return known in {"", body["signer"]}


def _canonical(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(body), option=orjson.OPT_SORT_KEYS)


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _broken(path: Path, line: int, what: str) -> InputError:
    fix = "keep the file as evidence, find out who could write it, and compare it with its copies"
    return InputError(f"this record {what}", place=Place(str(path), line), fix=fix)
