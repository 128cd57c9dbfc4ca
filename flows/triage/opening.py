"""Where triage reads and writes: the embedded store, in full mode with all that is new in Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.store import Store
from detectors.errors import UsageError
from flows.settings import Settings


def kept(settings: Settings) -> Store:
    """Open the store of the settings to read what earlier runs kept."""
    if not settings.store.is_file():
        raise UsageError(f"there is no store at {settings.store}", fix="fill it: soc scan --keep, or soc run")
    return Store(settings.store)


@contextmanager
def opened(settings: Settings, *, new: bool = False, fresh: bool = True) -> Iterator[Store]:
    """Open the store of the settings; in full mode what is new in Elasticsearch is copied to it first, if `fresh`.

    Raises:
        UsageError: there is no store, and nothing but a run would fill one; with `new` it is made.
        UnavailableError: Elasticsearch can't be asked, so what the store holds may not be all.
    """
    store = Store(settings.store) if new or settings.elastic.url else kept(settings)
    try:
        if fresh and settings.elastic.url:
            from flows.triage.returning import bring  # noqa: PLC0415 - embedded mode needs no client

            bring(settings, store)
        yield store
    finally:
        store.close()
