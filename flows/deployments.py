"""What Prefect runs by the clock: anomalies, drift and training; health of sources and retention of the archive.

Schedules live in the Prefect server, and how far each flow came in files beside the models, so a restart of either goes
on where it was: `soc deploy` registers the same names again. A run that is due while one is at work is left out, since
the next one looks at everything that is new.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from httpx import ConnectError  # comes with Prefect
from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Schedule

from detectors.errors import UnavailableError
from flows.anomaly import scheduled as anomaly
from flows.sourcing import scheduled as sourcing

TIMES: Final[tuple[tuple[Flow[Any, Any], str, str], ...]] = (
    (anomaly.score, "hourly", "12 * * * *"),  # past the hour: late events have come
    (sourcing.watch_sources, "hourly", "27 * * * *"),
    (sourcing.clean_archive, "daily", "50 0 * * *"),
    (anomaly.watch_drift, "daily", "40 1 * * *"),
    (anomaly.train, "weekly", "20 2 * * 0"),
)
ALONE: Final = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def deployments(config: Path | None, zone: str) -> list[RunnerDeployment]:
    """Return the deployments (`score/hourly`, …) by the clock of a zone."""
    return [_deployment(name, flow, Cron(cron, timezone=zone), config) for flow, name, cron in TIMES]


def _deployment(name: str, flow: Flow[Any, Any], schedule: Schedule, config: Path | None) -> RunnerDeployment:
    made = flow.to_deployment(
        name,
        schedule=schedule,
        parameters={"config": str(config.absolute()) if config else None},
        concurrency_limit=ALONE,
        tags=["soc"],
    )
    assert isinstance(made, RunnerDeployment)  # noqa: S101  a coroutine only where a loop runs
    return made


def run(config: Path | None, zone: str) -> None:
    """Register the deployments, and do their runs until stopped; schedules pause meanwhile nobody does."""
    try:
        serve(*deployments(config, zone), pause_on_shutdown=True, limit=1)
    except ConnectError as error:
        raise UnavailableError(
            f"the Prefect server can't be reached: {error}", fix="see whether it runs at PREFECT_API_URL"
        ) from error
