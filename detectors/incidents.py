"""Which findings belong together: those of one chain of entities become an incident.

Two findings are linked when they name the same host, account or address within a while of each other. What everybody
shares links nothing: stop values (loopback, SYSTEM, …), and names that meet too many others, such as a proxy's address
or a web server that everybody visits. Of a finding with many names of one kind (accounts that were tried, machines that
were scanned) these link nothing: they say who was met, not who did it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations
from typing import Final

import polars as pl

from detectors.identity import digest
from detectors.schema import LEVELS, TIME

# One row per finding and entity that it names.
NAMED: Final = pl.Schema(
    [
        ("finding", pl.String),
        ("kind", pl.String),
        ("name", pl.String),
        ("time", TIME),
        ("rule", pl.String),
        ("level", pl.String),
    ]
)
STOP: Final = frozenset(
    {
        "-", "?", "::1", "0.0.0.0", "127.0.0.1", "localhost", "system", "root", "admin", "anonymous", "anonymous logon",  # noqa: S104
        "local service", "network service", "nt authority\\system", "nt authority\\local service",
        "nt authority\\network service", "window manager\\dwm-1", "unknown", "none", "null", "n/a",
    }
)  # fmt: skip
MANY: Final = 6  # names of other kinds that one name may meet and still link
CROWD: Final = 5  # names of one kind in one finding that still link


@dataclass(frozen=True, slots=True)
class Linking:
    """How findings are linked."""

    within: timedelta = timedelta(hours=24)
    many: int = MANY
    crowd: int = CROWD
    stop: Collection[str] = field(default=STOP)  # in small letters
    least: str = "medium"  # an incident has a finding of this level, and findings of two rules
    alone: str = "critical"  # from this level on one finding is enough


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it is opened or grown: the findings that are new in it, oldest first."""

    id: str
    opened: datetime | None
    findings: tuple[str, ...]
    follows: str | None = None  # the closed incident that goes on in this one
    known: bool = False


def incident_id(first: str, follows: str | None) -> str:
    """Name an incident by its first finding and what it follows: the same findings make the same incident."""
    return digest(("incident", first, follows or ""))


def links(named: pl.DataFrame, how: Linking) -> pl.DataFrame:
    """Return the rows of NAMED that may link: no stop values, no crowds, nothing that meets too many names."""
    alone = pl.col("name").n_unique().over("finding", "kind") <= how.crowd
    stops = pl.col("name").str.to_lowercase().is_in(list(how.stop))
    kept = named.filter(alone, ~stops, pl.col("time").is_not_null())
    crowded = _meets(kept).filter(pl.col("many") > how.many)
    return kept.join(crowded, on=["kind", "name"], how="anti")


def _meets(named: pl.DataFrame) -> pl.DataFrame:
    """Return how many names of other kinds each name meets in findings; two kinds at a time to save memory."""
    of = {kind: named.filter(kind=kind).select("finding", "name") for kind in named["kind"].unique(maintain_order=True)}
    parts = [
        of[one].join(of[other], on="finding", suffix="_2").select("name", "name_2").unique()
        .group_by("name").agg(pl.len().cast(pl.Int64).alias("many")).select(pl.lit(one).alias("kind"), "name", "many")
        for one, other in permutations(of, 2)
    ]  # fmt: skip
    none = pl.Schema({"kind": pl.String, "name": pl.String, "many": pl.Int64}).to_frame()
    return pl.concat([none, *parts]).group_by("kind", "name").agg(pl.col("many").sum())


def chains(named: pl.DataFrame, how: Linking) -> list[list[str]]:
    """Return chains of linked findings, each oldest first, in order of their first; a finding alone is a chain too."""
    within = links(named, how).sort("kind", "name", "time", "finding")
    gap = pl.col("time").diff().over("kind", "name")
    before = pl.col("finding").shift(1).over("kind", "name").alias("before")
    near = within.with_columns(before).filter(gap <= how.within)
    joined = _Joined()
    for one, other in near.select("before", "finding").iter_rows():
        joined.join(one, other)
    order = named.group_by("finding").agg(pl.col("time").min()).sort("time", "finding", nulls_last=True)
    found: dict[str, list[str]] = {}
    for finding in order["finding"]:
        found.setdefault(joined.of(finding), []).append(finding)
    return list(found.values())


def worth(named: pl.DataFrame) -> dict[str, tuple[int, str]]:
    """Return per finding the rank of its level and its rule, as `assigned` judges chains by."""
    rows = named.unique("finding", keep="any").select("finding", "level", "rule").iter_rows()
    return {finding: (LEVELS.index(level) if level in LEVELS else 0, rule or "") for finding, level, rule in rows}


def assigned(named: pl.DataFrame, how: Linking, members: Mapping[str, str], closed: Collection[str]) -> list[Incident]:
    """Return the incidents that are new or grow, given what is in incidents already (finding → incident).

    A chain that reaches an open incident joins it: the one with the oldest finding if it reaches several. One that
    reaches only closed ones becomes a new incident that follows the last of them.
    """
    judged, times = worth(named), dict(named.select("finding", "time").iter_rows())
    found = []
    for chain in chains(named, how):
        fresh = tuple(finding for finding in chain if finding not in members)
        if not fresh or not _matters(chain if any(f in members for f in chain) else fresh, judged, how):
            continue
        touched = list(dict.fromkeys(members[finding] for finding in chain if finding in members))
        living = [incident for incident in touched if incident not in closed]
        if living:
            found.append(Incident(living[0], None, fresh, known=True))
        elif _matters(fresh, judged, how) or not touched:
            follows = touched[-1] if touched else None
            found.append(Incident(incident_id(fresh[0], follows), times[fresh[0]], fresh, follows))
    return found


def _matters(findings: Iterable[str], judged: Mapping[str, tuple[int, str]], how: Linking) -> bool:
    ranks, rules = zip(*(judged[finding] for finding in findings if finding in judged), strict=True)
    if max(ranks) >= LEVELS.index(how.alone):
        return True
    return max(ranks) >= LEVELS.index(how.least) and len(set(rules)) > 1


class _Joined:
    """Union and find, with halving of paths."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, one: str) -> str:
        above = self._above
        while above.get(one, one) != one:
            above[one] = above.get(above[one], above[one])
            one = above[one]
        return one

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._above[second] = first
