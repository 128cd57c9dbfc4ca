"""The SQLite file of the embedded store: opened, brought to its newest format, asked and written to.

Any number of processes may write at once (WAL: readers never wait), and a writer that is killed costs its open
transaction only.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.store_schema import MIGRATIONS
from connectors.store_wanted import folded
from detectors.errors import InputError, Place, UnavailableError, UsageError

BUSY_SECONDS = 30.0  # a writer waits this long for another's transaction; one batch takes milliseconds


class StoreFile:
    """One SQLite file. Faults name it."""

    def __init__(self, path: Path, *, passing: bool = False) -> None:
        """Open a file; a `passing` one goes with its process: it needs to survive nothing, and nobody else reads it."""
        self._path = path
        self._lock = threading.Lock()  # Prefect may call from any of its threads
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._named_faults():
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute(f"PRAGMA journal_mode = {'MEMORY' if passing else 'WAL'}")
            # FULL: an answer means: safe even if the power fails now
            self._db.execute(f"PRAGMA synchronous = {'OFF' if passing else 'FULL'}")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA cache_size = -65536")  # 64 MB: rows of random ids touch pages all over the file
            self._db.create_function("folded", 1, folded, deterministic=True)
            self._migrate()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _migrate(self) -> None:
        with self.transaction() as db:  # the write lock makes two first openings queue up
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise UsageError(
                    f"the store was made by a newer version (format {version}, this program knows {len(MIGRATIONS)})",
                    place=Place(str(self._path)),
                    fix="use that version, or name another file",
                )
            for number in range(version, len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number + 1:d}")  # a pragma takes no parameters

    def query(self, statement: str, asked: Mapping[str, object] | tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Return all rows that answer a statement of this program's own."""
        with self._lock, self._named_faults():
            return self._db.execute(statement, asked).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of a block or nothing of it; no other process writes meanwhile."""
        with self._lock, self._named_faults():
            self._db.execute("BEGIN IMMEDIATE")  # take the write lock now: a later upgrade could fail at once
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself rolls back after some faults of the disk
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        place = Place(str(self._path))
        try:
            yield
        except sqlite3.OperationalError as fault:
            fix = "see that the disk has room, the folder can be written, and no other program holds the file"
            raise UnavailableError(f"the store doesn't answer ({fault})", place=place, fix=fix) from fault
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as fault:
            fix = "name another file, or move this one away and start a new one"
            raise InputError(f"this is no usable store ({fault})", place=place, fix=fix) from fault
