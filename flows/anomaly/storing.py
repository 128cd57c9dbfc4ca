"""Where anomalies go: the sink of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from detectors.contracts import Sink
from flows import running
from flows.settings import Settings


@contextmanager
def sink_of(settings: Settings, *, dry: bool = False) -> Iterator[Sink | None]:
    """Open the store or Elasticsearch; nothing if nothing shall be stored."""
    with ExitStack() as stack:
        yield None if dry else running.sink(settings, stack)
