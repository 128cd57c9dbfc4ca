"""The Prefect flows `score` (hourly, on windows closed by then), `watch-drift` (daily) and `train` (weekly)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows import settings
from flows.anomaly import storing, working
from flows.orchestration import create_markdown_artifact, flow, get_run_logger


@flow(name="train", retries=1, retry_delay_seconds=60, log_prints=False)
def train(config: Path | None = None, sets: list[str] | None = None) -> list[str]:
    """Train a model per feature set on all but the last week, use what wins on that week; return the versions made."""
    where = working.room(settings.load(config), datetime.now(UTC), get_run_logger().info)
    made = working.renew(where, sets or [])
    rows = [f"| {one.name} | {one.version} | {'in use' if one.champion else 'waits'} |" for one in made]
    create_markdown_artifact(
        "\n".join(["| set | version | state |", "|---|---|---|", *rows]), key="train", description="Models trained"
    )
    return [one.version for one in made]


@flow(name="watch-drift", retries=1, retry_delay_seconds=60, log_prints=False)
def watch_drift(config: Path | None = None, sets: list[str] | None = None) -> list[str]:
    """Look whether models still fit what comes in, and train again those that don't; return their sets."""
    chosen = settings.load(config)
    where = working.room(chosen, datetime.now(UTC), get_run_logger().info)
    with storing.sink_of(chosen) as sink:
        return working.watch_drift(where, sets or [], sink)


@flow(name="score", retries=2, retry_delay_seconds=60, log_prints=False)
def score(config: Path | None = None, sets: list[str] | None = None) -> int:
    """Score the closed windows since the last run; return how many anomalies there are."""
    chosen = settings.load(config)
    where = working.room(chosen, datetime.now(UTC), get_run_logger().info)
    with storing.sink_of(chosen) as sink:
        found, _, failed = working.score_all(where, sets or [], None, sink)
    missed = f"; not looked at: {', '.join(sorted(failed))}" if failed else ""
    create_markdown_artifact(
        f"{found.findings.height} anomalies{missed}", key="score", description="What was out of the ordinary"
    )
    return found.findings.height
