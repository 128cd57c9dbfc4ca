"""What verdicts say of rules: how often each was right, with how much doubt, how noisy it is where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Final, Literal

import polars as pl

from detectors.schema import TIME

# The last word about a finding.
DECISION: Final = pl.Schema([("finding", pl.String), ("time", TIME), ("status", pl.String), ("reason", pl.String)])

# Per rule. `true` and `false` are closed findings that were right and wrong; the others say nothing of the rule.
JUDGED: Final = pl.Schema(
    [
        ("rule", pl.String),
        ("title", pl.String),
        ("level", pl.String),
        ("findings", pl.Int64),
        ("open", pl.Int64),
        ("true", pl.Int64),
        ("false", pl.Int64),
        ("precision", pl.Float64),  # of those judged; null: none was
        ("least", pl.Float64),  # bounds of its 95 % interval (Wilson 1927)
        ("most", pl.Float64),
        ("hours", pl.Float64),  # median from the finding to its close
        ("noisiest", pl.String),  # the organisation with most false ones
        ("noise", pl.Int64),  # how many there
    ]
)
Advice = Literal["keep", "tune", "retire", "wait"]

RIGHT: Final = ("true_positive", "issue_resolved")
WRONG: Final = ("false_positive", "expected_activity", "acceptable_risk", "low_severity")
Z: Final = 1.959964  # 95 %
ENOUGH: Final = 5  # judged findings from which on there is advice
GOOD: Final = 0.5  # a rule whose interval lies below is tuned
BAD: Final = 0.1  # one whose interval lies below is retired


def interval(true: int, judged: int) -> tuple[float, float]:
    """Return the bounds of a share's 95 % interval by Wilson's score; (0, 1) of nothing."""
    if not judged:
        return 0.0, 1.0
    share, square = true / judged, Z * Z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = Z / (1 + square / judged) * sqrt(share * (1 - share) / judged + square / (4 * judged * judged))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def judged(findings: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return JUDGED of findings (FINDING) and what was decided of them (DECISION), the noisiest first."""
    rows = findings.select(
        pl.col("event.id").alias("finding"),
        pl.col("rule.id").alias("rule"),
        pl.coalesce("rule.name", "rule.id").alias("title"),
        pl.col("soc.level").alias("level"),
        pl.col("organization.id").list.first().alias("organisation"),
        pl.coalesce("event.end", "@timestamp").alias("seen"),
    ).join(decisions.unique("finding", keep="last"), on="finding", how="left", maintain_order="left")
    closed = pl.col("status") == "closed"
    right, wrong = (closed & pl.col("reason").is_in(words) for words in (RIGHT, WRONG))
    took = (pl.col("time") - pl.col("seen")).dt.total_seconds() / 3600
    by_rule = (
        rows.drop_nulls("rule")
        .group_by("rule")
        .agg(
            pl.col("title", "level").first(),
            pl.len().cast(pl.Int64).alias("findings"),
            (~closed.fill_null(value=False)).sum().cast(pl.Int64).alias("open"),
            right.fill_null(value=False).sum().cast(pl.Int64).alias("true"),
            wrong.fill_null(value=False).sum().cast(pl.Int64).alias("false"),
            took.filter(closed).median().alias("hours"),
        )
        .join(_noise(rows.filter(wrong)), on="rule", how="left")
    )
    bounds = [interval(true, true + false) for true, false in by_rule.select("true", "false").iter_rows()]
    total = pl.col("true") + pl.col("false")
    return (
        by_rule.with_columns(
            pl.when(total > 0).then(pl.col("true") / total).alias("precision"),
            pl.Series("least", [low for low, _ in bounds], pl.Float64),
            pl.Series("most", [high for _, high in bounds], pl.Float64),
            pl.col("noise").fill_null(0),
        )
        .sort("false", "findings", "rule", descending=[True, True, False])
        .select(JUDGED.names())
        .cast(JUDGED)
    )


def _noise(wrong: pl.DataFrame) -> pl.DataFrame:
    """Return per rule the organisation with most findings among these."""
    counts = wrong.drop_nulls(["rule", "organisation"]).group_by("rule", "organisation").agg(pl.len().alias("noise"))
    most = counts.sort("noise", "organisation", descending=[True, False]).group_by("rule", maintain_order=True).first()
    return most.select("rule", pl.col("organisation").alias("noisiest"), pl.col("noise").cast(pl.Int64))


def advise(rules: pl.DataFrame, techniques: Mapping[str, frozenset[str]]) -> dict[str, tuple[Advice, frozenset[str]]]:
    """Return what to do with each rule of JUDGED, and the techniques that only it covers.

    `techniques` are those of every rule that runs. The worst rules are looked at first; one that would leave a
    technique without any rule is tuned instead.
    """
    left: dict[str, int] = {}
    for covered in techniques.values():
        for technique in covered:
            left[technique] = left.get(technique, 0) + 1
    found: dict[str, tuple[Advice, frozenset[str]]] = {}
    for rule, true, false, most in rules.sort("most", "rule").select("rule", "true", "false", "most").iter_rows():
        covered = techniques.get(rule, frozenset())
        alone = frozenset(technique for technique in covered if left[technique] < 2)
        advice = _advice(true + false, most, alone=bool(alone))
        found[rule] = advice, alone
        if advice == "retire":
            for technique in covered:
                left[technique] -= 1
    return found


def _advice(known: int, most: float, *, alone: bool) -> Advice:
    if known < ENOUGH:
        return "wait"
    if most < BAD and not alone:
        return "retire"
    return "tune" if most < GOOD else "keep"
