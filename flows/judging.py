"""What was found, with the raw lines it was found in, as the score of a simulation asks for it."""

from __future__ import annotations

import polars as pl

from connectors.archive import Archive
from connectors.simulator.score import MATCHED
from connectors.store import Store
from flows.hunting import originals
from flows.ruleset import RuleSet

_COUNTING = ("event_count", "value_count")
_LEAST = ("gt", "gte", "eq")


def matched_events(store: Store, archive: Archive, findings: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Return MATCHED: every matched event of the embedded store with its raw line."""
    return with_lines(store.matches_of(*findings["event.id"]), archive, findings, rules)


def with_lines(matches: pl.DataFrame, archive: Archive, findings: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Return MATCHED of matches (MATCH): the raw lines are read back from the archive by their ids."""
    if matches.is_empty():
        return MATCHED.to_frame()
    exploded = matches.explode("event.id")
    lines = originals(archive, set(exploded["event.id"]))
    levels = findings.select(pl.col("event.id").alias("soc.finding.id"), "soc.level")
    counts = needed(rules)
    several = pl.col("rule.id").replace_strict(list(counts), list(counts.values()), default=1, return_dtype=pl.Int64)
    whole = exploded.join(lines, on="event.id").join(levels, on="soc.finding.id")
    return whole.with_columns(several.alias("soc.needed")).select(MATCHED.names())


def needed(rules: RuleSet) -> dict[str, int]:
    """Return how many events a correlation needs at least, by its id: as many as it counts, or one of each rule."""
    found = {}
    for linked in rules.correlations:
        rule = linked.rule
        limits = [bound.limit + (bound.operator == "gt") for bound in rule.bounds if bound.operator in _LEAST]
        counts = max(limits, default=1) if rule.type in _COUNTING else len(rule.rules)
        found[rule.meta.id] = max(1, int(counts))
    return found
