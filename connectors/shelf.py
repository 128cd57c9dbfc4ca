"""Where models lie: a folder of this machine, or a bucket of an object store (S3 and what speaks like it).

Names are relative, with `/`. A folder of files is whole once its `signature` is there, which is written last.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

from detectors.errors import UnavailableError, UsageError

Got = TypeVar("Got")


class Shelf(Protocol):
    """Files by name."""

    def read(self, name: str) -> bytes | None:
        """Return a file; nothing if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file in the place of that which was there, whole or not at all."""

    def place(self, folder: str, contents: Mapping[str, bytes]) -> None:
        """Write the files of a folder, in this order: until the last is there, what is there of them is no model."""

    def names(self, folder: str) -> list[str]:
        """Return the names of what is directly below a folder ("": all), in order."""

    def at(self, name: str) -> str:
        """Return where a file is, for people."""


def shelf(root: str | Path) -> Shelf:
    """Return the shelf that a path or an address such as `s3://bucket/soc` names."""
    return Bucket(str(root)) if "://" in str(root) else Folder(Path(root))


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        path = self._root / name
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.replace(path)

    def place(self, folder: str, contents: Mapping[str, bytes]) -> None:
        path = self._root / folder
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=path.parent))
        try:
            for name, content in contents.items():
                (fresh / name).write_bytes(content)
            if path.exists():
                shutil.rmtree(path)
            fresh.replace(path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self._root / folder).glob("*"))

    def at(self, name: str) -> str:
        return str(self._root / name)


class Bucket:
    """A bucket, or what is below a prefix of it; the environment says who asks, and where (docs/anomaly.md)."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        try:
            self._library: Any = import_module("obstore")
            stores: Any = import_module("obstore.store")
        except ImportError:
            raise UsageError(f"{address} needs the package obstore", fix="pip install 'gialai-soc[s3]'") from None
        self._faults: Any = import_module("obstore.exceptions")
        try:
            self._store = stores.from_url(self._address)
        except (ValueError, self._faults.BaseError) as error:
            fix = "write s3://BUCKET/PREFIX, or the path of a folder"
            raise UsageError(f"{address} names no object store: {_first(error)}", fix=fix) from None

    def read(self, name: str) -> bytes | None:
        try:
            return self._asked(lambda: bytes(self._library.get(self._store, name).bytes()))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        try:
            self._asked(lambda: self._library.put(self._store, name, content))
        except FileNotFoundError as error:
            raise UsageError(f"{self._address}: {_first(error)}", fix="make the bucket") from None

    def place(self, folder: str, contents: Mapping[str, bytes]) -> None:
        for name, content in contents.items():
            self.write(f"{folder}/{name}", content)

    def names(self, folder: str) -> list[str]:
        found = self._asked(lambda: self._library.list_with_delimiter(self._store, f"{folder}/" if folder else None))
        paths = [*found["common_prefixes"], *(each["path"] for each in found["objects"])]
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def at(self, name: str) -> str:
        return f"{self._address}/{name}"

    def _asked(self, ask: Callable[[], Got]) -> Got:
        """Return what the store answers; of what isn't there, FileNotFoundError."""
        try:
            return ask()
        except FileNotFoundError:
            raise
        except (OSError, self._faults.BaseError) as error:
            fix = "see AWS_ENDPOINT_URL, AWS_REGION and the credentials in the environment"
            raise UnavailableError(f"{self._address} doesn't answer as it should: {_first(error)}", fix=fix) from None


def _first(error: Exception) -> str:
    """Return the first line of what a library says, without the answers it quotes."""
    return str(error).partition("\n")[0][:300]
