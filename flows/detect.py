"""The Prefect flow `detect`: a bounded run of the pipeline, retried, with its summary as an artifact.

Without a Prefect server (`PREFECT_API_URL`) Prefect starts a temporary one for the run; nothing is sent anywhere.
"""

from __future__ import annotations

from pathlib import Path

from flows import reloading, running
from flows.orchestration import create_markdown_artifact, flow, get_run_logger


@flow(name="detect", retries=2, retry_delay_seconds=10, log_prints=False)
def detect(config: Path | None = None, seconds: float | None = None) -> dict[str, int]:
    """Read what is new until caught up, or for some seconds; return the counts of events and findings."""
    log = get_run_logger()
    done = running.run(reloading.current(config, log.info), log.info, seconds=seconds)
    create_markdown_artifact(running.summary(done), key="detect", description="What this run read and found")
    seen = done.statistics
    counts = {"events": seen.events, "findings": seen.findings, "known": seen.known_findings}
    log.info("%(events)d events, %(findings)d new findings, %(known)d known", counts)
    return counts
