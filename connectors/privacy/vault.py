"""What tokens stand for: a file that everybody who makes tokens can add to, and nobody alone can open.

Each line closes some pairs of token and value to the vault's public key: an X25519 key made for the line, HKDF-SHA256,
AES-256-GCM (a sealed box; RFC 7748, 5869). The private key is nowhere in one piece: for every two custodians it is
closed with a key made from both their passphrases (scrypt, RFC 7914), so any two of them open it, and none alone.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from connectors.privacy.keys import private, text
from detectors.errors import Place, UnavailableError, UsageError

COST: Final = 1 << 15  # of scrypt: 32 MiB and some tenths of a second per try
SHORTEST: Final = 12  # characters of a passphrase
NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class Lock:
    """The closed private key: `custodians` are names and salts, `shares` the key closed to each two of them."""

    custodians: Mapping[str, str]
    shares: Mapping[str, str]


def create(path: Path, passphrases: Mapping[str, str]) -> bytes:
    """Make a vault's lock for these custodians, and return its public key.

    Raises:
        UsageError: there are fewer than two, or a passphrase is short, or two are alike.
    """
    if len(passphrases) < 2:
        raise UsageError("a vault needs two custodians at least", fix="name them: --custodian lan --custodian minh")
    if len({*passphrases.values()}) < len(passphrases) or min(map(len, passphrases.values())) < SHORTEST:
        raise UsageError("passphrases must differ", fix=f"and have {SHORTEST} characters at least")
    key = X25519PrivateKey.generate()
    salts = {name: secrets.token_bytes(16) for name in passphrases}
    stretched = {name: _stretched(passphrases[name], salts[name]) for name in passphrases}
    shares = {
        _pair(one, two): text(_close(_both(stretched, one, two), key.private_bytes_raw(), _pair(one, two).encode()))
        for one, two in combinations(sorted(passphrases), 2)
    }
    document = {"custodians": {name: text(salt) for name, salt in salts.items()}, "shares": shares}
    private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return key.public_key().public_bytes_raw()


def open_lock(path: Path, passphrases: Mapping[str, str]) -> X25519PrivateKey:
    """Open the private key with the passphrases of two custodians.

    Raises:
        UsageError: they are no two custodians, or a passphrase is wrong.
    """
    lock = _lock(path)
    if len(passphrases) != 2:
        raise UsageError("two different people must confirm", fix="name a second custodian with --second")
    for name in passphrases:
        if name not in lock.custodians:
            raise UsageError(
                f"{name!r} is no custodian of the vault", fix=f"known: {', '.join(sorted(lock.custodians))}"
            )
    one, two = sorted(passphrases)
    salts = {name: base64.b64decode(lock.custodians[name]) for name in (one, two)}
    stretched = {name: _stretched(passphrases[name], salts[name]) for name in (one, two)}
    try:
        share = base64.b64decode(lock.shares[_pair(one, two)])
        return X25519PrivateKey.from_private_bytes(_open(_both(stretched, one, two), share, _pair(one, two).encode()))
    except (InvalidTag, KeyError):
        raise UsageError("a passphrase is wrong", fix="try again; the attempt is recorded") from None


def append(path: Path, public: bytes, pairs: Mapping[str, str]) -> None:
    """Add pairs of token and value; when this returns they are on the disk.

    Raises:
        UnavailableError: the disk takes nothing.
    """
    if not pairs:
        return
    other, mine = X25519PublicKey.from_public_bytes(public), X25519PrivateKey.generate()
    head = mine.public_key().public_bytes_raw()
    body = _close(_shared(mine.exchange(other), head + public), orjson.dumps(pairs, default=str), head)
    line = base64.b64encode(head + body) + b"\n"
    try:
        _add(path, line)
    except OSError as error:  # what can't be kept for the vault isn't let go either
        raise UnavailableError(f"{path} can't be written: {error.strerror}") from error


def _add(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            line = b"\n" + line  # a writer was killed half-way
        file.write(line)
        os.fsync(file.fileno())


def entries(path: Path, key: X25519PrivateKey) -> Iterator[Mapping[str, str]]:
    """Yield what can be opened; lines that were cut off or changed are passed over."""
    public = key.public_key().public_bytes_raw()
    with path.open("rb") as file:
        for line in file:
            try:
                data = base64.b64decode(line.strip(), validate=True)
                shared = _shared(key.exchange(X25519PublicKey.from_public_bytes(data[:32])), data[:32] + public)
                yield orjson.loads(_open(shared, data[32:], data[:32]))
            except (InvalidTag, ValueError):
                continue


def find(path: Path, key: X25519PrivateKey, token: str) -> str | None:
    """Return what a token stands for."""
    if not path.is_file():
        return None
    return next((pairs[token] for pairs in entries(path, key) if token in pairs), None)


def _lock(path: Path) -> Lock:
    try:
        document: Any = orjson.loads(path.read_bytes())
        return Lock(dict(document["custodians"]), dict(document["shares"]))
    except FileNotFoundError:
        raise UsageError("there is no vault", place=Place(str(path)), fix="make it: soc privacy setup") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"no lock of a vault: {error!r:.80}", place=Place(str(path)), fix="put back its copy"
        ) from None


def _pair(one: str, two: str) -> str:
    return "\n".join(sorted((one, two)))


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode())


def _both(stretched: Mapping[str, bytes], one: str, two: str) -> bytes:
    return _shared(stretched[one] + stretched[two], b"two custodians")


def _shared(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def _close(key: bytes, data: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _open(key: bytes, data: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(data[:NONCE], data[NONCE:], bound)
