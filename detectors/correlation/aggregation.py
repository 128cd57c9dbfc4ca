"""The aggregations of Sigma 1, `selection | count(field) by group > 5`, as a rule and a correlation over it.

    written                                  becomes
    count() by a, b > 5                      event_count, group-by [a, b], gt 5
    count(x) by a >= 5                       value_count of x
    sum(x) by a > 5, avg(x) by a > 5         value_sum, value_avg of x
    timeframe: 10m                           timespan: 10m

`min`, `max` and `near` have no counterpart. The correlation has the rule's words and id; the rule it counts has an id
of its own and no findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from detectors.correlation.parse import correlation
from detectors.correlation.rule import Correlation, counted_id
from detectors.errors import RuleError
from detectors.sigma.document import Document
from detectors.sigma.parse import rule
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists

_COUNTED = re.compile(
    r"(?P<function>\w+)\s*\(\s*(?P<field>[\w.@-]*)\s*\)\s*(?:by\s+(?P<by>[\w.@-]+(?:\s*,\s*[\w.@-]+)*)\s*)?"
    r"(?P<operator><=|>=|<|>|==?)\s*(?P<limit>\d+(?:\.\d+)?)\s*"
)
_OPERATORS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq", "==": "eq"}
_TYPES = {"sum": "value_sum", "avg": "value_avg"}
_CONDITION = ("detection", "condition")


def is_aggregation(document: Document) -> bool:
    """Say whether a rule's condition has the `|` of Sigma 1."""
    detection = document.data.get("detection")
    condition = detection.get("condition") if isinstance(detection, dict) else None
    return isinstance(condition, str) and "|" in condition


def aggregation(document: Document, lists: Lists) -> Iterator[Rule | Correlation | RuleError]:
    """Yield the rule of what is counted and the correlation that counts it, or every fault there is."""
    faults: list[RuleError] = []
    counted = _rule(document, lists, faults)
    body = _body(document, faults)
    if faults or counted is None or body is None:
        yield from sorted(faults, key=lambda fault: fault.place or document.place())
        return
    identity = UUID(counted.meta.id)
    inner = counted_id(str(identity))
    words = {name: value for name, value in document.data.items() if name not in ("detection", "logsource", "name")}
    made = [*correlation(replace(document, data={**words, "correlation": {**body, "rules": inner}}))]
    if isinstance(made[0], Correlation):
        yield replace(counted, meta=replace(counted.meta, id=inner), name="")
        yield replace(made[0], meta=replace(made[0].meta, id=str(identity)), name=counted.name)
    else:
        yield from made


def _rule(document: Document, lists: Lists, faults: list[RuleError]) -> Rule | None:
    """Return the rule in front of the bar."""
    detection: dict[str, Any] = document.data["detection"]
    kept = {name: value for name, value in detection.items() if name != "timeframe"}
    kept["condition"] = detection["condition"].partition("|")[0].rstrip()
    found = None
    for outcome in rule(replace(document, data={**document.data, "detection": kept}), lists):
        if isinstance(outcome, RuleError):
            faults.append(outcome)
        else:
            found = outcome
    return found


def _body(document: Document, faults: list[RuleError]) -> dict[str, Any] | None:
    """Return what stands behind the bar as the section `correlation`."""
    condition: str = document.data["detection"]["condition"]
    front, _, written = condition.partition("|")
    found = _COUNTED.fullmatch(written.strip())
    kind = _type(found["function"].lower(), found["field"]) if found else None
    if found is None or kind is None:
        faults.append(
            RuleError(
                f"the aggregation `{written.strip():.80}` can't be translated",
                place=document.inside(len(front), *_CONDITION),
                fix="write a correlation rule that refers to this one",
            )
        )
    timeframe = document.data["detection"].get("timeframe")
    if timeframe is None:
        place = document.key("detection")
        faults.append(RuleError("an aggregation without `timeframe`", place=place, fix="add one, such as 10m"))
    if found is None or kind is None or timeframe is None:
        return None
    limit = {_OPERATORS[found["operator"]]: float(found["limit"])}
    field = {"field": found["field"]} if found["field"] else {}
    by = {"group-by": [each.strip() for each in found["by"].split(",")]} if found["by"] else {}
    return {"type": kind, "timespan": str(timeframe), "condition": {**limit, **field}, **by}


def _type(function: str, field: str) -> str | None:
    if function == "count":
        return "value_count" if field else "event_count"
    return _TYPES.get(function) if field else None
