"""Rules that came late: what they would have found in the archive goes to where findings go.

Every id is that of the live run, so what it told stays, and what a rule says of the past is told once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

from connectors.archive import Archive
from detectors.errors import InputError
from flows.assembly import Parts
from flows.joining import joined
from flows.patience import patiently
from flows.running import Done, Say, memory, settle, sink, storing
from flows.settings import Settings
from flows.terminal import plain


def backfill(
    settings: Settings,
    parts: Parts,
    sources: Sequence[str],
    say: Say,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Done:
    """Run rules over the archived records of sources, `since` included, `until` not, and store what they find.

    A damaged file of the archive is told and costs itself; sources without a definition are left out.
    """
    start, archive = time.monotonic(), Archive(settings.archive)

    def report(fault: InputError) -> None:
        say(plain(f"left out: {fault}"))

    with ExitStack() as stack:
        where = sink(settings, stack)
        pipeline = storing(parts, where, memory(settings, where, stack), say)
        for source in sources:
            for batch in joined(archive.read(source, since, until, report)):
                patiently(lambda batch=batch: pipeline.process(batch), None, say)  # type: ignore[misc]
            say(f"{plain(source)}: {pipeline.statistics.by_source[source]:,} events")
        patiently(lambda: settle(settings, pipeline, None), None, say)
    return Done(pipeline.statistics, parts, time.monotonic() - start)
