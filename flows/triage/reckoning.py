"""Risk and incidents of the findings that are kept, reckoned now or by the Prefect flow `reckon`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from connectors.store import Store
from connectors.store_cases import Cases
from connectors.store_wanted import Wanted
from detectors.identity import digest
from detectors.incidents import NAMED, STOP, Incident, Linking, assigned
from detectors.risk import entity_risk, trust
from detectors.verdicts import DECISION, judged
from flows.settings import Settings
from flows.triage import muted
from flows.triage.evidence import NEEDED, SLIM, UNREAL, evidence, named, slim
from flows.triage.writing import write

DAYS: Final = 30  # findings older than this add nothing that counts
WORTH_KEEPING: Final = 0.5  # below this risk nobody looks


def recent(store: Store, now: datetime, days: int = DAYS) -> pl.DataFrame:
    """Return SLIM of the findings of the last days."""
    return every(store, Wanted(since=now - timedelta(days=days), until=now + timedelta(days=1)))


def every(store: Store, wanted: Wanted) -> pl.DataFrame:
    """Return SLIM of all findings that are wanted, the newest first."""
    return pl.concat([SLIM.to_frame(), *(slim(page) for page in store.columns(wanted, NEEDED))])


def risk(settings: Settings, store: Store, now: datetime) -> pl.DataFrame:
    """Reckon RISK now, and keep it: in the store, and in full mode as `soc-entity-risk` too."""
    findings, cases, said = recent(store, now), Cases(store), decisions(store)
    counts = trusted(findings, said)
    silent = muted.muted(settings, store, now - timedelta(days=DAYS), now + timedelta(days=1))
    told = [evidence(findings, reasons(said), counts), muted.evidence(settings, silent, counts)]
    found = entity_risk(pl.concat(told), now)
    kept = found.filter(pl.col("risk") >= WORTH_KEEPING)
    cases.reckoned(kept, now)
    if settings.elastic.url:
        write(settings, entity_documents(kept, now, organisations(findings)), "soc-entity-risk")
    return found


def trusted(findings: pl.DataFrame, said: pl.DataFrame) -> dict[str, float]:
    """Return what findings of each rule count, by what was said of them."""
    rules = judged(findings, said)
    return {rule: trust(yes, no) for rule, yes, no in rules.select("rule", "true", "false").iter_rows()}


def decisions(store: Store) -> pl.DataFrame:
    """Return the last word about each finding (DECISION)."""
    return pl.DataFrame(Cases(store).decisions(), schema=DECISION, orient="row")


def reasons(said: pl.DataFrame) -> dict[str, str]:
    """Return why findings were closed."""
    closed = said.filter(pl.col("status") == "closed").drop_nulls("reason")
    return dict(closed.select("finding", "reason").iter_rows())


def organisations(findings: pl.DataFrame) -> dict[str, str]:
    """Return the names of the organisations of findings (SLIM), by their ids; the newest finding counts."""
    of = findings.select(pl.col("organization.id", "organization.name").list.first()).drop_nulls()
    return dict(of.unique("organization.id", keep="first", maintain_order=True).iter_rows())


def entity_documents(risks: pl.DataFrame, now: datetime, names: Mapping[str, str]) -> pl.DataFrame:
    """Return RISK as documents of `soc-entity-risk`; `names` are those of organisations, by their ids.

    Fields are called as findings call them, so what is chosen on a dashboard finds both; ECS has names for the risk of
    hosts and accounts.
    """
    at = now.isoformat()
    ids = [digest(("risk", kind, name, at)) for kind, name in risks.select("kind", "name").iter_rows()]

    def only(kind: str, column: str) -> pl.Expr:
        return pl.when(pl.col("kind") == kind).then(column)

    return risks.select(
        pl.lit(now).alias("@timestamp"),
        pl.Series("event.id", ids, pl.String),
        pl.col("kind").alias("soc.entity.kind"),
        pl.col("name").alias("soc.entity.name"),
        pl.col("risk").alias("soc.entity.risk"),
        pl.col("level").alias("soc.entity.level"),
        pl.col("findings").alias("soc.entity.findings"),
        pl.col("tactics").alias("soc.entity.tactics"),
        pl.col("rules").alias("soc.entity.rules"),
        pl.col("contributors").alias("soc.entity.contributors"),
        pl.col("criticality").alias("soc.asset.criticality"),
        pl.col("organisation").alias("organization.id"),
        pl.Series("organization.name", [names.get(one) for one in risks["organisation"]], pl.String),
        only("address", "name").alias("source.ip"),
        *(
            only(kind, column).alias(f"{kind}.{name}")
            for kind in ("host", "user")
            for column, name in (
                ("name", "name"),
                ("risk", "risk.calculated_score_norm"),
                ("level", "risk.calculated_level"),
            )
        ),
    )


def incidents(settings: Settings, store: Store, now: datetime, how: Linking | None = None) -> list[Incident]:
    """Put findings into incidents, and keep them; return those that are new or grew."""
    findings, cases = recent(store, now), Cases(store)
    unreal = [finding for finding, reason in reasons(decisions(store)).items() if reason in UNREAL]
    withdrawn = findings.filter(pl.col("event.action") == "correlation-withdrawn")["soc.follows"].drop_nulls()
    told = findings.filter(
        ~pl.col("event.id").is_in(unreal) & ~pl.col("event.id").is_in(withdrawn.implode())
        & (pl.col("event.action") != "correlation-withdrawn").fill_null(value=True)
    )  # fmt: skip
    found = assigned(named(told, NAMED), how or linking(settings), cases.members(), cases.closed())
    for one in found:
        cases.open(one.id, one.opened, one.follows, one.findings)
    return found


def linking(settings: Settings) -> Linking:
    """Return how the settings link findings."""
    part = settings.triage
    stop = STOP | {name.lower() for name in part.stop}
    return Linking(within=timedelta(hours=part.hours), many=part.many, stop=stop)
