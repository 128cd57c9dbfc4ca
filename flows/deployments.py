"""What Prefect runs by the clock: reckoning, reports, anomalies, training, health of sources, retention.

Schedules live in the Prefect server, and how far each flow came in files beside the models, so a restart of either goes
on where it was: `soc deploy` registers the same names again. A run that is due while one is at work is left out, since
the next one looks at everything that is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
from flows.triage import scheduled as triage


@dataclass(frozen=True, slots=True)
class Timed:
    """A flow by the clock: the name of its deployment, when, and with what beside the settings."""

    name: str
    flow: Flow[Any, Any]
    cron: str
    parameters: Mapping[str, object] = field(default_factory=dict)


TIMES: Final = (
    Timed("often", triage.reckon, "*/10 * * * *"),
    Timed("hourly", anomaly.score, "12 * * * *"),  # past the hour: late events have come
    Timed("hourly", sourcing.watch_sources, "27 * * * *"),
    Timed("daily", sourcing.clean_archive, "50 0 * * *"),
    Timed("daily", anomaly.watch_drift, "40 1 * * *"),
    Timed("weekly", anomaly.train, "20 2 * * 0"),
    Timed("weekly", triage.report, "30 6 * * 1", {"period": "week"}),
    Timed("monthly", triage.report, "40 6 1 * *", {"period": "month"}),
)
AT_ONCE: Final = 2  # training takes hours, and what is reckoned often mustn't wait for it
ALONE: Final = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def deployments(config: Path | None, zone: str) -> list[RunnerDeployment]:
    """Return the deployments, `score/hourly` and so on, by the clock of a zone."""
    return [_deployment(timed, Cron(timed.cron, timezone=zone), config) for timed in TIMES]


def _deployment(timed: Timed, schedule: Schedule, config: Path | None) -> RunnerDeployment:
    made = timed.flow.to_deployment(
        timed.name,
        schedule=schedule,
        parameters={"config": str(config.absolute()) if config else None, **timed.parameters},
        concurrency_limit=ALONE,
        tags=["soc"],
    )
    assert isinstance(made, RunnerDeployment)  # noqa: S101  a coroutine only where a loop runs
    return made


def run(config: Path | None, zone: str) -> None:
    """Register the deployments, and do their runs until stopped; schedules pause meanwhile nobody does."""
    try:
        serve(*deployments(config, zone), pause_on_shutdown=True, limit=AT_ONCE)
    except ConnectError as error:
        raise UnavailableError(
            f"the Prefect server can't be reached: {error}", fix="see whether it runs at PREFECT_API_URL"
        ) from error
