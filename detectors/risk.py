"""How much an entity is at risk: the chance that something of what was found of it is real, as odds, times its worth.

Each finding is a chance by its level, less the older it is (half-life by level) and the more often its rule was wrong.
Chances of different rules add up as independent ones do (noisy or: -ln(1 - p)); of one rule the second counts half, the
third a quarter, so a flood of one rule stays below twice its first. Several tactics weigh more than one. The odds are
multiplied by how much the entity matters. A system or an organisation is at least as much at risk as its worst member.

Nothing here depends on the order of findings, and one finding more never lowers any risk.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import polars as pl

from detectors.schema import LEVELS, RISK, TIME

# One row per finding and entity that it names; what was closed as not real isn't there.
EVIDENCE: Final = pl.Schema(
    [
        ("finding", pl.String),
        ("kind", pl.String),  # host, user, address
        ("name", pl.String),
        ("time", TIME),
        ("rule", pl.String),
        ("title", pl.String),
        ("level", pl.String),
        ("tactics", pl.List(pl.String)),
        ("trust", pl.Float64),  # 0 to 1: what verdicts say of the rule, see `trust`
        ("criticality", pl.String),  # low, medium, high, critical; null counts as medium
        ("system", pl.String),
        ("organisation", pl.String),
    ]
)
CHANCE: Final = {"informational": 0.01, "low": 0.04, "medium": 0.15, "high": 0.45, "critical": 0.80}
HALF_LIFE: Final = {"informational": 1.0, "low": 1.5, "medium": 3.0, "high": 7.0, "critical": 14.0}  # days
ODDS: Final = {"low": 0.5, "medium": 1.0, "high": 2.0, "critical": 4.0}  # by criticality
BOUNDS: Final = {"low": 15.0, "medium": 40.0, "high": 70.0, "critical": 90.0}  # from which risk on
AGAIN: Final = 0.5  # what another finding of the same rule counts, of the one before
MEMBER: Final = 0.25  # likewise another member of a system or an organisation: members share findings
TACTIC: Final = 0.25  # what each further tactic adds
TACTICS: Final = 6.0  # beyond which more add nothing
DOUBT: Final = 4.0  # false alarms after which a rule without true ones counts half
TOP: Final = 5

_DAY: Final = 86_400_000_000  # microseconds
_ENTITY: Final = ("kind", "name")


def trust(true: int, false: int) -> float:
    """Return what findings of a rule count after so many true and false ones: 1 until it was wrong."""
    return max((true + DOUBT) / (true + false + DOUBT), 0.05)


def level(risk: float) -> str:
    """Return the name of a risk's level."""
    return next((name for name in reversed(BOUNDS) if risk >= BOUNDS[name]), "informational")


def entity_risk(evidence: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return RISK of the entities of EVIDENCE and of their systems and organisations at a time, the highest first."""
    if evidence.is_empty():
        return RISK.to_frame()
    kinds = evidence["kind"].unique(maintain_order=True)
    members = pl.concat([_members(evidence.filter(kind=kind), now) for kind in kinds])
    parts = [members, *(_rolled_up(evidence, members, column) for column in ("system", "organisation"))]
    return pl.concat([part.select(RISK.names()) for part in parts]).sort(
        "risk", *_ENTITY, descending=[True, False, False]
    )


def _members(evidence: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return the risk of the entities of one kind; of all at once it would take several times the memory."""
    weighed = _weighed(evidence, now)
    return _scored(weighed, _tactics(weighed))


def _weighed(evidence: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Add what each finding counts for its entity, those that count most first."""
    known = pl.col("level").replace_strict
    age = (pl.lit(now).cast(TIME) - pl.col("time")).dt.total_microseconds().clip(0) / _DAY
    lives = known(list(HALF_LIFE), list(HALF_LIFE.values()), default=1.0, return_dtype=pl.Float64)
    chance = known(list(CHANCE), list(CHANCE.values()), default=0.01, return_dtype=pl.Float64)
    fresh = (0.5 ** (age / lives)).fill_null(1.0) * pl.col("trust").clip(0, 1)  # no time: as if it were now
    return (
        evidence.unique(["finding", *_ENTITY], keep="any")
        .with_columns(fresh.alias("fresh"), pl.col("criticality").is_in(list(ODDS)).alias("said"))
        .with_columns(pl.when("said").then("criticality").otherwise(pl.lit("medium")).alias("criticality"))
        .with_columns((-(1 - chance * pl.col("fresh")).log()).alias("strength"))
        .sort(*_ENTITY, "strength", "finding", descending=[False, False, True, False])
        .with_columns((AGAIN ** pl.int_range(pl.len()).over(*_ENTITY, "rule")).alias("place"))
        .with_columns(pl.col("strength") * pl.col("place"))
        .sort(*_ENTITY, "strength", "finding", descending=[False, False, True, False])
    )


def _tactics(weighed: pl.DataFrame) -> pl.DataFrame:
    """Return how many tactics an entity saw, each as fresh as its freshest finding."""
    return (
        weighed.select(*_ENTITY, "fresh", pl.col("tactics").fill_null([]))
        .explode("tactics", empty_as_null=True)
        .drop_nulls("tactics")
        .group_by(*_ENTITY, "tactics")
        .agg(pl.col("fresh").max())
        .sort(*_ENTITY, "tactics")
        .group_by(_ENTITY, maintain_order=True)
        .agg(pl.col("fresh").sum().alias("many"), pl.col("tactics"))
    )


def _scored(weighed: pl.DataFrame, tactics: pl.DataFrame) -> pl.DataFrame:
    worth = pl.col("criticality").replace_strict(list(ODDS), range(len(ODDS)), return_dtype=pl.Int64)
    grave = ((pl.col("level") == "critical") & (pl.col("criticality") == "critical")).any()
    summed = weighed.group_by(_ENTITY, maintain_order=True).agg(
        pl.col("strength").sum(),
        pl.len().cast(pl.Int64).alias("findings"),
        worth.max().alias("worth"),
        grave.alias("grave"),
        pl.col("title").unique(maintain_order=True).head(TOP).alias("rules"),
        pl.col("finding").head(TOP).alias("contributors"),
        pl.col("organisation").drop_nulls().first(),
    )
    more = 1 + TACTIC * (pl.col("many").fill_null(0).clip(0, TACTICS) - 1).clip(0)
    odds = ((pl.col("strength") * more).exp() - 1) * pl.col("worth").replace_strict(
        range(len(ODDS)), list(ODDS.values()), return_dtype=pl.Float64
    )
    risk = pl.when("grave").then((100 * odds / (1 + odds)).clip(BOUNDS["high"])).otherwise(100 * odds / (1 + odds))
    return _levelled(
        summed.join(tactics, on=_ENTITY, how="left", maintain_order="left").with_columns(
            risk.alias("risk"),
            pl.col("tactics").fill_null([]),
            pl.col("worth").replace_strict(range(len(ODDS)), list(ODDS), return_dtype=pl.String).alias("criticality"),
        )
    )


def _rolled_up(evidence: pl.DataFrame, members: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the risk of systems or organisations from that of their members."""
    of = evidence.select(pl.col(column).alias("whole"), *_ENTITY).drop_nulls("whole").unique()
    counts = evidence.group_by(pl.col(column).alias("whole")).agg(
        pl.col("finding").n_unique().cast(pl.Int64).alias("findings")
    )
    odds = -(1 - pl.col("risk").clip(0, 99.999) / 100).log()
    parts = (
        of.join(members.drop("findings"), on=_ENTITY)
        .sort("whole", "risk", *_ENTITY, descending=[False, True, False, False])
        .with_columns((odds * MEMBER ** pl.int_range(pl.len()).over("whole")).alias("strength"))
        .group_by("whole", maintain_order=True)
        .agg(
            (100 * (1 - (-pl.col("strength").sum()).exp())).alias("risk"),
            pl.col("risk").max().alias("worst"),
            pl.col("tactics").explode(empty_as_null=True).drop_nulls().unique().sort(),
            pl.col("rules").explode(empty_as_null=True).drop_nulls().unique(maintain_order=True).head(TOP),
            pl.concat_str("kind", "name", separator=" ").head(TOP).alias("contributors"),
            pl.lit(None, pl.String).alias("criticality"),
        )
        .with_columns(pl.max_horizontal("risk", "worst").alias("risk"))
    )
    own = pl.col("whole") if column == "organisation" else pl.lit(None, pl.String)
    return _levelled(
        parts.join(counts, on="whole").with_columns(
            pl.lit(column).alias("kind"), pl.col("whole").alias("name"), own.alias("organisation")
        )
    )


def _levelled(frame: pl.DataFrame) -> pl.DataFrame:
    rounded = pl.col("risk").round(6)
    name = pl.lit(LEVELS[0])
    for each, bound in BOUNDS.items():
        name = pl.when(rounded >= bound).then(pl.lit(each)).otherwise(name)
    return frame.with_columns(rounded.alias("risk"), name.alias("level"))
