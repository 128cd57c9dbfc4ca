"""How well a set of rules did: which attacks it found, how late, and what it cried wolf about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl
from polars._typing import PolarsDataType

from detectors.errors import InputError, Place
from detectors.schema import LEVELS, TIME


def _columns(types: Mapping[str, PolarsDataType]) -> pl.Schema:
    return pl.Schema(types)


# One row per line of an attack; a line is known by its text, which stays the same in files, Kafka and archive.
TRUTH = _columns(
    {
        "attack": pl.String,
        "name": pl.String,
        "vi": pl.String,
        "techniques": pl.List(pl.String),
        "start": TIME,
        "end": TIME,
        "soc.source": pl.String,
        "file": pl.String,
        "line": pl.Int64,
        "log.offset": pl.Int64,
        "event.original": pl.String,
    }
)
# One row per event that a rule matched. `soc.needed` is how many events the rule needs before it says anything: more
# than one for correlations.
MATCHED = _columns(
    {
        "@timestamp": TIME,
        "event.original": pl.String,
        "rule.id": pl.String,
        "soc.level": pl.String,
        "soc.finding.id": pl.String,
        "soc.needed": pl.Int64,
    }
)
ATTACKS = _columns(
    {
        "attack": pl.String,
        "name": pl.String,
        "vi": pl.String,
        "techniques": pl.List(pl.String),
        "start": TIME,
        "end": TIME,
        "lines": pl.UInt32,
        "lines_matched": pl.UInt32,
        "found": pl.Boolean,
        "first": TIME,
        "delay": pl.Duration("us"),  # from the attack's first line to the line that made a rule speak
        "rules": pl.List(pl.String),
    }
)
# One row per attack and finding that names a line of it: the steps of its story.
STEPS = _columns({"attack": pl.String, "soc.finding.id": pl.String, "first": TIME, "lines": pl.UInt32})
FALSE = _columns({"rule.id": pl.String, "soc.level": pl.String, "findings": pl.UInt32, "matches": pl.UInt32})


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome: `attacks` in the order of time, `false` by rule, the noisiest first."""

    attacks: pl.DataFrame  # ATTACKS
    false: pl.DataFrame  # FALSE: findings without a single line of an attack
    steps: pl.DataFrame = field(default_factory=STEPS.to_frame)  # STEPS, in the order of time

    @property
    def found(self) -> int:
        return int(self.attacks["found"].sum())

    @property
    def missed(self) -> int:
        return self.attacks.height - self.found

    @property
    def false_findings(self) -> int:
        return int(self.false["findings"].sum())


def read_truth(path: Path) -> pl.DataFrame:
    """Read the truth file that a simulation wrote, as TRUTH."""
    rows: list[tuple[object, ...]] = []
    try:
        for number, text in enumerate(path.read_bytes().splitlines(), 1):
            try:
                attack = orjson.loads(text)
                head = [attack[key] for key in ("attack", "name", "vi", "techniques", "start", "end")]
                rows += [(*head, *(line[key] for key in ("source", "file", "line", "offset", "text")))
                         for line in attack["lines"]]  # fmt: skip
            except (ValueError, KeyError, TypeError) as error:
                place = Place(str(path), number)
                raise InputError("this is no record of an attack", place=place, fix="simulate again") from error
    except OSError as error:
        raise InputError(f"the truth can't be read: {error.strerror}", place=Place(str(path))) from error
    texts = _columns({**TRUTH, "start": pl.String, "end": pl.String})
    frame = pl.DataFrame(rows, schema=texts, orient="row")
    return frame.with_columns(pl.col("start", "end").str.to_datetime(time_unit="us", time_zone="UTC"))


def score(truth: pl.DataFrame, matched: pl.DataFrame, least: str = "low") -> Score:
    """Compare matched events with the truth; findings below the level `least` count neither way.

    Args:
        truth: TRUTH, as `read_truth` gives it.
        matched: MATCHED; one row per rule and event.
        least: a Sigma level.
    """
    counted = matched.select(MATCHED.names()).filter(pl.col("soc.level").is_in(LEVELS[LEVELS.index(least) :]))
    hits = _spoken(truth.select("attack", "event.original").join(counted, on="event.original"))
    return Score(attacks=_attacks(truth, hits), false=_false(counted, hits), steps=_steps(hits))


def _spoken(hits: pl.DataFrame) -> pl.DataFrame:
    """Put the time at which a finding speaks of an attack at its hits: that of the last event that its rule needs."""
    place = pl.min_horizontal("soc.needed", pl.len()) - 1
    spoken = pl.col("@timestamp").sort().get(place.first())
    return hits.with_columns(spoken.over("attack", "soc.finding.id").alias("@timestamp"))


def _steps(hits: pl.DataFrame) -> pl.DataFrame:
    return (
        hits.group_by("attack", "soc.finding.id")
        .agg(pl.col("@timestamp").min().alias("first"), pl.col("event.original").n_unique().alias("lines"))
        .sort("first", "soc.finding.id")
        .select(pl.col(name).cast(kind) for name, kind in STEPS.items())
    )


def _attacks(truth: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    keys = ["attack", "name", "vi", "techniques", "start", "end"]
    per_attack = hits.group_by("attack").agg(
        pl.col("event.original").n_unique().alias("lines_matched"),
        pl.col("@timestamp").min().alias("first"),
        pl.col("rule.id").unique().sort().alias("rules"),
    )
    return (
        truth.group_by(keys)
        .agg(pl.len().alias("lines"))
        .join(per_attack, on="attack", how="left")
        .with_columns(
            pl.col("lines_matched").fill_null(0),
            pl.col("rules").fill_null([]),
            pl.col("lines_matched").is_not_null().alias("found"),
            (pl.col("first") - pl.col("start")).alias("delay"),
        )
        .sort("start", "attack")
        .select(pl.col(name).cast(kind) for name, kind in ATTACKS.items())
    )


def _false(counted: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    wrong = counted.join(hits.select("soc.finding.id").unique(), on="soc.finding.id", how="anti")
    return (
        wrong.group_by("rule.id", "soc.level")
        .agg(pl.col("soc.finding.id").n_unique().alias("findings"), pl.len().alias("matches"))
        .sort("findings", "rule.id", descending=[True, False])
        .select(pl.col(name).cast(kind) for name, kind in FALSE.items())
    )
