"""The Prefect flows `reckon` (news, risk, incidents, notices; every ten minutes) and `report` (weekly, monthly)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows import settings
from flows.orchestration import create_markdown_artifact, flow, task
from flows.settings import Settings
from flows.triage import notifying, reckoning, reporting, returning
from flows.triage.opening import opened
from flows.triage.periodic import Period

# Each step can be done again: ids come from what is reckoned, not from the run.


@task(retries=2, retry_delay_seconds=30)
def verdicts(chosen: Settings) -> int:
    """Bring back what Kibana's alerts say; nothing without Elasticsearch."""
    with opened(chosen, new=True, fresh=False) as store:
        return returning.bring(chosen, store).verdicts


@task(retries=2, retry_delay_seconds=30)
def risk(chosen: Settings, now: datetime) -> int:
    """Reckon the risk of entities."""
    with opened(chosen, new=True, fresh=False) as store:
        return reckoning.risk(chosen, store, now).height


@task(retries=2, retry_delay_seconds=30)
def incidents(chosen: Settings, now: datetime) -> int:
    """Put findings into incidents."""
    with opened(chosen, new=True, fresh=False) as store:
        return len(reckoning.incidents(chosen, store, now))


@task(retries=2, retry_delay_seconds=30)
def notices(chosen: Settings, now: datetime) -> int:
    """Tell people of incidents, if `notify.urls` says whom."""
    if not chosen.notify.urls:
        return 0
    with opened(chosen, new=True, fresh=False) as store:
        return sum(notifying.notify(chosen, store, now))


@flow(name="reckon", log_prints=False)
def reckon(config: Path | None = None) -> tuple[int, int, int, int]:
    """Return how many verdicts were new, entities have a risk, incidents are new or grew, and were told of."""
    chosen, now = settings.load(config), datetime.now(UTC)
    done = verdicts(chosen), risk(chosen, now), incidents(chosen, now), notices(chosen, now)
    words = "{:,} new verdicts, {:,} entities with a risk, {:,} incidents new or grown, {:,} told of"
    create_markdown_artifact(words.format(*done), key="reckon", description="What findings add up to")
    return done


@flow(name="report", retries=2, retry_delay_seconds=300, log_prints=False)
def report(config: Path | None = None, period: Period = "week") -> list[str]:
    """Write the reports of the week or month that ended last; return the files."""
    chosen, now = settings.load(config), datetime.now(UTC)
    with opened(chosen, new=True) as store:
        return [str(path) for path in reporting.after(chosen, store, period, now, "soc report")]
