"""Random correlations and random streams of matches for them, each made from a seed."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import polars as pl

from detectors.content import contents
from detectors.correlation.evaluate import FIELD
from detectors.correlation.link import SECOND, Linked, link
from detectors.correlation.rule import Correlation
from detectors.errors import RuleError
from detectors.sigma.rule import Rule
from tests.property.correlation_oracle import Event

BASES = ("a", "b", "c")
IDS = {name: f"00000000-0000-4000-8000-00000000000{number}" for number, name in enumerate(BASES)}
FIELDS = ("user", "address", "size")
NAMED = (*FIELDS, "host.name", "user.name", "source.ip", "destination.ip")
COLUMNS = ("event.id", "time", "soc.source", "event.original", *(f"{FIELD}{name}" for name in NAMED))

_BASE = """title: Rule {name}
name: {name}
id: {id}
logsource: {{category: test}}
detection:
  selection: {{is_{name}: 1}}
  condition: selection
---
"""
TEXT = "".join(_BASE.format(name=name, id=IDS[name]) for name in BASES)
KINDS = ("event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
         "value_median", "extended")  # fmt: skip
_USERS = ("Lan", "LAN", "Điệp", "điệp", "", None)
_ADDRESSES = ("192.0.2.1", "192.0.2.1", "192.0.2.2", None)
_SIZES = ("1", "2", "2", "2.5", "0.1", "1e3", "-4", " 7 ", "x", None, "inf")
_LIMITS = (0, 1, 2, 2, 3, 3, 4, 5, 1.5, 2.25, 1000)


def stream(random: Random, most: int = 40) -> list[Event]:
    """Return matches in any order: ties, duplicates, events that several rules match, missing times and values."""
    size = random.randrange(most)
    rules = random.choices(BASES, [1, random.random(), random.random()], k=size)
    users, addresses = random.sample(_USERS, random.choice((1, 3))), random.sample(_ADDRESSES, random.choice((1, 2)))
    seconds = random.choice((6, 12, 30))
    events = []
    for number in range(size):
        time = None if random.random() < 0.03 else random.randrange(seconds) * SECOND
        fields = {"user": random.choice(users), "address": random.choice(addresses), "size": random.choice(_SIZES)}
        events.append(Event("", f"e{number}", time, fields))
    chosen = random.choices(events, k=size)
    return [Event(IDS[rule], each.id, each.time, each.fields) for rule, each in zip(rules, chosen, strict=True)]


def correlation(random: Random) -> Linked:
    """Return a correlation, every third of a correlation."""
    while True:
        bodies = {"inner": flat(random, [*BASES])}
        if random.random() < 0.33:
            bodies["outer"] = outer(random, bodies["inner"])
        linked = linked_of(bodies)
        if linked is not None:
            return linked


def outer(random: Random, inner: dict[str, Any]) -> dict[str, Any]:
    """Return the section of a correlation over another one."""
    made = flat(random, ["inner", *random.sample(BASES, random.randrange(2))])
    made["group-by"] = [name for name in made["group-by"] if name in inner["group-by"]]
    condition = made["condition"]
    if "field" in condition:
        made["rules"] = ["inner"]
        condition["field"] = inner["type"] if made["type"] != "value_count" else [*inner["group-by"], inner["type"]]
    return made


def flat(random: Random, rules: list[str]) -> dict[str, Any]:
    """Return the section `correlation` of a correlation over some of the rules."""
    kind = random.choice(KINDS)
    chosen = random.sample(rules, random.randint(1, len(rules)))
    groups = random.sample(("user", "address"), random.choice((0, 1, 1, 2)))
    made: dict[str, Any] = {"rules": chosen, "group-by": groups, "timespan": f"{random.randint(1, 5)}s"}
    if kind == "extended":
        made["type"] = random.choice(("temporal", "temporal_ordered"))
        made["condition"] = _expression(random, chosen)
        return made
    bounds = random.sample(("gt", "gte", "gte", "lt", "lte", "eq", "neq"), random.choice((1, 1, 2)))
    made |= {"type": kind, "condition": {bound: random.choice(_LIMITS) for bound in bounds}}
    if kind.startswith("value"):
        fields = random.sample(FIELDS, random.choice((1, 1, 2)))
        made["condition"]["field"] = fields if kind == "value_count" else "size"
    if kind == "value_percentile":
        made["condition"]["percentile"] = random.choice((0, 25, 33.3, 90, 100))
    return made


def _expression(random: Random, rules: list[str]) -> str:
    """Return a condition that names every rule, each once."""
    text = ""
    for rule in random.sample(rules, len(rules)):
        part = random.choice(("{}", "{}", "not {}")).format(rule)
        text = f"({text})" if text and random.random() < 0.5 else text
        text = f"{text} {random.choice(('and', 'or'))} {part}" if text else part
    return text


def linked_of(bodies: dict[str, dict[str, Any]]) -> Linked | None:
    """Return the last of some correlations; None where it is refused."""
    read = [*contents(yaml_of(bodies), "r.yml")]
    if any(isinstance(each, RuleError) for each in read):
        return None
    linked, faults = link([each for each in read if isinstance(each, Correlation)], _bases())
    return None if faults else linked[-1]


@cache
def _bases() -> list[Rule]:
    return [each for each in contents(TEXT.removesuffix("---\n"), "r.yml") if isinstance(each, Rule)]


def yaml_of(bodies: dict[str, dict[str, Any]]) -> str:
    """Return correlations as YAML."""
    texts = [
        f"title: {name}\nname: {name}\nid: 00000000-0000-4000-8000-0000000001{number:02d}\ncorrelation: {_flow(body)}\n"
        for number, (name, body) in enumerate(bodies.items())
    ]
    return "---\n".join(texts)


def _flow(body: object) -> str:
    """Return YAML in one line."""
    if isinstance(body, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in body.items()) + "}"
    return "[" + ", ".join(map(_flow, body)) + "]" if isinstance(body, list) else str(body)


def frame(events: list[Event]) -> pl.DataFrame:
    """Return matches as they are kept; those without a time are not."""
    rows = [
        {"event.id": each.id, "time": each.time, "soc.source": "test", "event.original": each.id,
         **{f"{FIELD}{name}": value for name, value in each.fields.items()}}
        for each in events if each.time is not None
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={name: pl.Int64 if name == "time" else pl.String for name in COLUMNS})
