"""Findings of a store as the frames that risk and incidents are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from detectors.risk import EVIDENCE
from detectors.schema import FINDING

KINDS: Final = {"host": "host.name", "user": "user.name", "address": "source.ip"}
ASSET: Final = ("soc.asset.criticality", "soc.asset.system")
NEEDED: Final = (  # columns of FINDING that risk, incidents and verdicts are made of
    "event.id", "@timestamp", "event.end", "event.action", "rule.id", "rule.name", "soc.level", "soc.title.vi",
    "soc.follows", "threat.tactic.name", "organization.id", "organization.name", *KINDS.values(), "soc.evidence",
)  # fmt: skip
SLIM: Final = pl.Schema(
    [*((name, FINDING[name]) for name in NEEDED if name != "soc.evidence"), *((name, pl.String()) for name in ASSET)]
)
UNREAL: Final = frozenset({"false_positive", "expected_activity", "duplicate"})  # what was closed so counts for nothing


def named(findings: pl.DataFrame, columns: Collection[str] = ()) -> pl.DataFrame:
    """Return a row per finding (SLIM) and host, account or address that it names; of it these columns, else all."""
    of = _of_event(findings)
    rest = [name for name in columns or of.columns if name in of.columns and name not in KINDS.values()]
    parts = [
        of.select(*rest, pl.lit(kind).alias("kind"), pl.col(column).list.unique(maintain_order=True).alias("name"))
        .explode("name", empty_as_null=True)
        .filter(pl.col("name") != "")
        for kind, column in KINDS.items()
    ]
    return pl.concat(parts)


def evidence(findings: pl.DataFrame, reasons: Mapping[str, str], trusted: Mapping[str, float]) -> pl.DataFrame:
    """Return EVIDENCE of findings (SLIM).

    `reasons` tells why some were closed, `trusted` what findings of a rule count.
    """
    rows = named(findings.filter(~pl.col("event.id").is_in(_unreal(reasons))))
    trust = pl.col("rule").replace_strict(list(trusted), list(trusted.values()), default=1.0, return_dtype=pl.Float64)
    return rows.with_columns(trust.fill_null(1.0).alias("trust")).select(EVIDENCE.names()).cast(EVIDENCE)


def _unreal(reasons: Mapping[str, str]) -> Collection[str]:
    return [finding for finding, reason in reasons.items() if reason in UNREAL]


def _of_event(findings: pl.DataFrame) -> pl.DataFrame:
    """Return of findings what their entities share."""
    return findings.select(
        pl.col("event.id").alias("finding"),
        pl.col("@timestamp").alias("time"),
        pl.col("rule.id").alias("rule"),
        pl.coalesce("rule.name", "rule.id").alias("title"),
        pl.col("soc.level").alias("level"),
        pl.col("threat.tactic.name").alias("tactics"),
        pl.col("organization.id").list.first().alias("organisation"),
        *(pl.col(name).alias(name.rpartition(".")[2]) for name in ASSET),
        *KINDS.values(),
    )


def slim(findings: pl.DataFrame) -> pl.DataFrame:
    """Return SLIM of findings (NEEDED): what their asset is, as the first event tells, instead of all evidence."""
    told = pl.col("soc.evidence").str
    asset = (told.extract(rf'"{name}":"([^"\\]{{1,200}})"').alias(name) for name in ASSET)
    return findings.with_columns(asset).drop("soc.evidence").shrink_to_fit()  # lets go of what documents took
