"""The plots of growth."""

from __future__ import annotations

from flows.bench.chart import Chart
from flows.bench.growth import Growth

PER_SECOND = "events per second of one core"


def plots(growth: Growth) -> dict[str, Chart]:
    """Return the charts, by the names of their files."""
    rules, batches, events = growth.rules, growth.batches, growth.events
    return {
        "match-by-rules": Chart(
            "Matching, by the number of rules",
            "rules",
            f"{PER_SECOND}, match only",
            {"match": [(each.rules, each.match_per_second) for each in rules]},
            log_across=True,
        ),
        "load-by-rules": Chart(
            "Loading rules",
            "rules",
            "seconds of processor time",
            {
                "first, from YAML": [(each.rules, each.first_load) for each in rules],
                "later, from cache": [(each.rules, each.later_load) for each in rules],
                "routes, needles": [(each.rules, each.prepare) for each in rules],
            },
            log_across=True,
            log_upward=True,
        ),
        "speed-by-batch": Chart(
            "Parsing and matching, by the size of a batch",
            "events in a batch",
            PER_SECOND,
            {
                "match": [(each.events, each.match_per_second) for each in batches],
                "parse and match": [(each.events, each.parse_and_match_per_second) for each in batches],
            },
            log_across=True,
        ),
        "time-by-events": Chart(
            "Whole scans, by the number of events",
            "events",
            "seconds of processor time",
            {"scan": [(each.events, each.seconds) for each in events]},
        ),
        "memory-by-events": Chart(
            "Memory of whole scans, by the number of events",
            "events",
            "most memory held, MB",
            {"scan": [(each.events, each.peak_mb) for each in events]},
        ),
    }
