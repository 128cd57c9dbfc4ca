"""Findings of a store as the frames that risk and incidents are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from detectors.risk import EVIDENCE

KINDS: Final = {"host": "host.name", "user": "user.name", "address": "source.ip"}
ASSET: Final = ("soc.asset.criticality", "soc.asset.system")
HEAVY: Final = (
    "message", "soc.message.vi", "soc.runbook", "soc.anomaly", "soc.decisions", "rule.description", "url.original",
    "process.command_line",
)  # fmt: skip
UNREAL: Final = frozenset({"false_positive", "expected_activity", "duplicate"})  # what was closed so counts for nothing


def named(findings: pl.DataFrame) -> pl.DataFrame:
    """Return a row per finding (FINDING) and host, account or address that it names."""
    of = _of_event(findings)
    parts = [
        of.with_columns(pl.lit(kind).alias("kind"), pl.col(column).alias("name"))
        .explode("name", empty_as_null=True)
        .drop_nulls("name")
        .filter(pl.col("name") != "")
        .unique(["finding", "name"], keep="first", maintain_order=True)
        for kind, column in KINDS.items()
    ]
    return pl.concat(parts).drop(*KINDS.values())


def evidence(findings: pl.DataFrame, reasons: Mapping[str, str], trusted: Mapping[str, float]) -> pl.DataFrame:
    """Return EVIDENCE of findings; `reasons` tells why some were closed, `trusted` what findings of a rule count."""
    rows = named(findings.filter(~pl.col("event.id").is_in(_unreal(reasons))))
    trust = pl.col("rule").replace_strict(list(trusted), list(trusted.values()), default=1.0, return_dtype=pl.Float64)
    return rows.with_columns(trust.fill_null(1.0).alias("trust")).select(EVIDENCE.names()).cast(EVIDENCE)


def _unreal(reasons: Mapping[str, str]) -> Collection[str]:
    return [finding for finding, reason in reasons.items() if reason in UNREAL]


def _of_event(findings: pl.DataFrame) -> pl.DataFrame:
    """Return of findings what their entities share; what the asset is, their first event tells."""
    asset = {name.rpartition(".")[2]: _told(name) for name in ASSET}
    return findings.select(
        pl.col("event.id").alias("finding"),
        pl.col("@timestamp").alias("time"),
        pl.col("rule.id").alias("rule"),
        pl.coalesce("rule.name", "rule.id").alias("title"),
        pl.col("soc.level").alias("level"),
        pl.col("threat.tactic.name").alias("tactics"),
        pl.col("organization.id").list.first().alias("organisation"),
        *(expression.alias(name) for name, expression in asset.items()),
        *KINDS.values(),
    )


def slim(findings: pl.DataFrame) -> pl.DataFrame:
    """Return findings without what takes most of their room: of texts nothing, of the evidence what an asset is."""
    known = {name: _told(name) for name in ASSET}
    parts = [pl.concat_str(pl.lit(f'"{name}":"'), told, pl.lit('"')) for name, told in known.items()]
    asset = pl.concat_str(parts, separator=",", ignore_nulls=True)
    emptied = [pl.lit(None, findings.schema[name]).alias(name) for name in HEAVY]
    return findings.with_columns(asset.alias("soc.evidence"), *emptied)


def _told(name: str) -> pl.Expr:
    """Return a field of the first event of the evidence."""
    return pl.col("soc.evidence").str.extract(rf'"{name}":"([^"\\]{{1,200}})"')
