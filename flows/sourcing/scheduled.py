"""The Prefect flows `watch-sources` (hourly) and `clean-archive` (daily): the health of sources, and their retention.

Both can be done again at any time: what they say and delete follows from the archive and the clock alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.archive import Archive
from flows import assembly, settings
from flows.orchestration import create_markdown_artifact, flow, get_run_logger
from flows.sourcing import health, retention
from flows.terminal import plain


@flow(name="watch-sources", retries=1, retry_delay_seconds=60, log_prints=False)
def watch_sources(config: Path | None = None) -> list[str]:
    """Look whether each source writes as it should; return those to look after, each a warning in the log."""
    chosen, log = settings.load(config), get_run_logger()
    zone = ZoneInfo(chosen.zone)
    found = list(health.health(Archive(chosen.archive), assembly.definitions(chosen), datetime.now(UTC)))
    create_markdown_artifact(health.report(found, zone), key="sources", description="How sources are doing")
    poor = [one for one in found if one.poor]
    for one in poor:
        told = zip(health.HEAD, health.row(one, zone), strict=True)
        log.warning("%s", plain(", ".join(f"{name} {cell}" for name, cell in told), 200))
        for words in one.sentences():
            log.warning("%s", plain(words, 300))
    log.info("%d sources, %d of them silent, low or with a clock that is off", len(found), len(poor))
    return [one.source for one in poor]


@flow(name="clean-archive", retries=1, retry_delay_seconds=60, log_prints=False)
def clean_archive(config: Path | None = None) -> int:
    """Delete days of the archive that are older than their source's retention; return how many there are.

    Without `clean: true` in the settings it only says what it would delete.
    """
    chosen, log = settings.load(config), get_run_logger()
    known, now = assembly.definitions(chosen), datetime.now(UTC)
    lines, days = list[str](), 0
    for old in retention.clean(Archive(chosen.archive), known, now, remove=chosen.clean):
        days += len(old.days)
        lines.append(plain(retention.words(old, deleted=chosen.clean), 200))
        log.info("%s", lines[-1])
    told = "\n".join(f"- {line}" for line in lines) or "Nothing is older than its retention."
    create_markdown_artifact(told, key="retention", description="What the archive has kept for long enough")
    return days
