"""The registry of models: arrays and a signed manifest per version, on disk or in an object store.

    <root>/logons/3f2a…/model.npz       arrays only; read without pickle
    <root>/logons/3f2a…/manifest.json   what it was trained on; holds the hash of model.npz
    <root>/logons/3f2a…/signature       HMAC-SHA256 of the manifest, by the key
    <root>/logons/champion              the versions in use, the latest last

A version whose signature or hash doesn't hold is refused before anything of it is read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from connectors.shelf import shelf
from detectors.errors import InputError, Place, UsageError

CHAMPION: Final = "champion"
KEY_BYTES: Final = 32
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,60}")
VERSION: Final = re.compile(r"[0-9a-f]{16}")

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a model."""

    name: str
    version: str
    manifest: dict[str, Any]
    champion: bool


class Registry:
    """Models under one folder or address (`s3://bucket/prefix`), signed with the key in a file of this machine."""

    def __init__(self, root: Path | str, key: Path) -> None:
        self._shelf, self._key_file = shelf(root), key

    def save(self, name: str, arrays: Arrays, manifest: dict[str, Any]) -> str:
        """Keep a model; return its version, which its content decides."""
        content = BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        digests = {each: hashlib.sha256(np.ascontiguousarray(arrays[each]).tobytes()).hexdigest() for each in arrays}
        identity = orjson.dumps({**manifest, "arrays": digests}, option=orjson.OPT_SORT_KEYS)
        version = hashlib.sha256(identity).hexdigest()[:16]
        whole = {**manifest, "name": name, "version": version, "sha256": hashlib.sha256(content.getvalue()).hexdigest()}
        text = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        self._shelf.place(_folder(name, version), {
            "model.npz": content.getvalue(), "manifest.json": text, "signature": self._sign(text).encode(),
        })  # fmt: skip
        return version

    def load(self, name: str, version: str | None = None) -> tuple[Stored, Arrays]:
        """Return a version (default: the champion) and its arrays.

        Raises:
            UsageError: there is none.
            InputError: it was not signed with our key, or it was changed since.
        """
        chosen = version or self.champion(name)
        if chosen is None:
            raise UsageError(f"there is no model of {name}", fix=f"train one: soc train {name}")
        stored = self._read(name, chosen)
        path = f"{_folder(name, chosen)}/model.npz"
        content = self._shelf.read(path) or b""
        if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), str(stored.manifest.get("sha256"))):
            raise InputError(
                "the model was changed after it was signed", place=Place(self._shelf.at(path)), fix="train it again"
            )
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            return stored, {each: arrays[each] for each in arrays.files}

    def versions(self, name: str | None = None, refused: Callable[[InputError], object] | None = None) -> list[Stored]:
        """Return all versions, by name, in the order of their training; `refused` hears of those that aren't ours.

        Raises:
            InputError: one was not signed with our key, or was changed since, and there is no `refused`.
        """
        found = []
        for each in [name] if name else [each for each in self._shelf.names("") if NAME.fullmatch(each)]:
            for version in filter(VERSION.fullmatch, self._shelf.names(_named(each))):
                if self._shelf.read(f"{_folder(each, version)}/signature") is None:
                    continue  # it is being written
                try:
                    found.append(self._read(each, version))
                except InputError as error:
                    if refused is None:
                        raise
                    refused(error)
        return sorted(found, key=lambda one: (one.name, str(one.manifest.get("trained")), one.version))

    def champion(self, name: str) -> str | None:
        """Return the version in use."""
        return history[-1] if (history := self._history(name)) else None

    def promote(self, name: str, version: str) -> None:
        """Put a version into use."""
        self._read(name, version)
        self._remember(name, [*self._history(name), version])

    def rollback(self, name: str) -> str:
        """Put the version into use that was before this one; return it."""
        history = self._history(name)
        if len(history) < 2:
            raise UsageError(f"{name} had no model before this one", fix="see `soc models list`")
        self._read(name, history[-2])
        self._remember(name, history[:-1])
        return history[-2]

    def _history(self, name: str) -> list[str]:
        lines = (self._shelf.read(f"{_named(name)}/{CHAMPION}") or b"").decode("ascii", "replace").split()
        return [line for line in lines if VERSION.fullmatch(line)]

    def _remember(self, name: str, history: list[str]) -> None:
        self._shelf.write(f"{_named(name)}/{CHAMPION}", ("\n".join(history[-50:]) + "\n").encode("ascii"))

    def _read(self, name: str, version: str) -> Stored:
        folder = _folder(name, version)
        text = self._shelf.read(f"{folder}/manifest.json")
        if text is None:
            raise UsageError(f"there is no version {version} of {name}", fix="see `soc models list`")
        place = Place(self._shelf.at(f"{folder}/manifest.json"))
        given = (self._shelf.read(f"{folder}/signature") or b"").decode("ascii", "replace").strip()
        if not hmac.compare_digest(self._sign(text).encode(), given.encode()):
            raise InputError(
                "the model is not signed with the key of the settings",
                place=place,
                fix="train it here: soc train; a model from elsewhere is never loaded",
            )
        document = orjson.loads(text)
        if (document.get("name"), document.get("version")) != (name, version):  # moved to another place
            raise InputError("the manifest is of another model", place=place, fix="train it again")
        return Stored(name, version, document, champion=self.champion(name) == version)

    def _sign(self, text: bytes) -> str:
        return hmac.new(self._key(), text, hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        path = self._key_file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
        if len(key) < KEY_BYTES:
            raise UsageError(
                f"the key has {len(key)} bytes", place=Place(str(path)), fix=f"give it {KEY_BYTES} or more"
            )
        return key


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name[:40]!r} names no model", fix="see `soc models list`")
    return name


def _folder(name: str, version: str) -> str:
    if not VERSION.fullmatch(version):
        raise UsageError(f"{version[:40]!r} names no version of a model", fix="see `soc models list`")
    return f"{_named(name)}/{version}"
