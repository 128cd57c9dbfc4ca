"""What goes on behind the pages: in full mode news of Elasticsearch come in, and what all adds up to is reckoned.

It has a connection to the store of its own, so no page waits for it. While Elasticsearch can't be asked, pages show
what is known, and say since when.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Final

from connectors.store import Store
from detectors.errors import SocError
from flows.settings import Settings
from flows.triage import reckoning
from flows.triage.opening import opened

PAUSE: Final = 30.0  # seconds between two looks
PATIENCE: Final = 5.0  # seconds that a page waits for Elasticsearch
AGAIN: Final = 300.0  # seconds after which risk and incidents are reckoned again, if anything is new


class Upkeep(threading.Thread):
    """Runs until `stop`. `problem` says why the last look failed, and `since` when one last succeeded."""

    def __init__(self, settings: Settings, at: datetime | None = None) -> None:
        super().__init__(name="upkeep", daemon=True)
        self.problem = ""
        self.since: datetime | None = None
        self._settings, self._at, self._over = settings, at, threading.Event()
        self._reckoned: tuple[datetime, dict[str, int]] | None = None

    def run(self) -> None:
        while True:
            try:
                self.once(self._at or datetime.now(UTC))
            except SocError as error:
                self.problem = str(error)
            if self._over.wait(PAUSE):
                return

    def fetch(self, store: Store, finding: str) -> None:
        """Bring the matches under a finding, which a page is about to show, if that can be had soon."""
        if not self._settings.elastic.url:
            return
        from flows.triage.returning import matches  # noqa: PLC0415 - embedded mode needs no client

        try:
            matches(self._settings, store, finding, PATIENCE)
        except SocError as error:
            self.problem = str(error)

    def stop(self) -> None:
        """End after the look that is under way; wait a little for it."""
        self._over.set()
        self.join(5)

    def once(self, now: datetime) -> None:
        """Look once."""
        with opened(self._settings) as store:
            self.problem, self.since = "", now
            counts = store.counts()
            if self._reckoned is not None:
                when, before = self._reckoned
                if counts == before or (now - when).total_seconds() < AGAIN:
                    return
            reckoning.incidents(self._settings, store, now)
            reckoning.risk(self._settings, store, now)
            self._reckoned = now, counts
