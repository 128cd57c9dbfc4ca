"""pySigma's SQLite backend as a second opinion on correlations, where it can run them.

It takes no ranges, no tuples of values and no upper thresholds of sequences, folds only ASCII letters, and adds up in
doubles as they come. Of a sequence that needn't be whole it tells how many rules matched, in whatever order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from random import Random
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

from detectors.correlation.link import SECOND
from tests.property.correlation_oracle import Event
from tests.property.correlations import BASES, FIELDS, IDS, TEXT, flat, linked_of, outer, stream, yaml_of
from tests.property.test_correlation import Alert, found

ASCII = {"Điệp": "Diep", "điệp": "diep", "0.1": "0.5"}


def sections(random: Random) -> dict[str, dict[str, Any]]:
    """Return the sections `correlation` of one that both can run, and of one that it refers to in some cases."""
    while True:
        inner = flat(random, [*BASES])
        bodies = {"inner": inner, "outer": outer(random, inner)} if random.random() < 0.3 else {"inner": inner}
        if all(map(possible, bodies.values())) and linked_of(bodies) is not None:
            return bodies


def possible(body: dict[str, Any]) -> bool:
    condition = body["condition"]
    if isinstance(condition, str):
        return True
    operators = [name for name in condition if name not in ("field", "percentile")]
    named = condition.get("field")
    single = not isinstance(named, list) or len(named) == 1
    length = "temporal_ordered" in (named if isinstance(named, list) else [named])
    upper = body["type"] == "temporal_ordered" and operators[0] not in ("gt", "gte")
    return len(operators) == 1 and single and not (upper or length) and condition.get("percentile", 0) in (0, 25, 100)


def second_opinion(bodies: dict[str, dict[str, Any]], events: Sequence[Event]) -> set[Alert]:
    """Return groups and windows of the alerts that SQL finds."""
    backend = sqliteBackend(  # type: ignore[no-untyped-call]  # as it ships
        timestamp_field="ts", event_id_field="id", timestamp_format="unix_us"
    )
    queries = backend.convert(
        SigmaCollection.from_yaml(TEXT + yaml_of({name: written(body) for name, body in bodies.items()}))
    )
    (*_, body) = bodies.values()
    with sqlite3.connect(":memory:") as database:
        fill(database, events)
        answer = database.execute(queries[-1])
        columns = [each[0] for each in answer.description]
        rows = [dict(zip(columns, row, strict=True)) for row in answer]
    database.close()
    return {
        (
            tuple(str(orjson.loads(row["group_keys"])[name]) for name in body["group-by"]),
            round(row["window_start"] * SECOND),
            round(row["window_end"] * SECOND),
        )
        for row in rows
    }


def written(body: dict[str, Any]) -> dict[str, Any]:
    """Return a section as the backend reads it: a field, not a list of one."""
    condition = body["condition"]
    if isinstance(condition, dict) and isinstance(condition.get("field"), list):
        return {**body, "condition": {**condition, "field": condition["field"][0]}}
    return body


def fill(database: sqlite3.Connection, events: Sequence[Event]) -> None:
    flags = [f"is_{name}" for name in BASES]
    database.execute(f"CREATE TABLE logs (id TEXT, ts INTEGER, {', '.join((*FIELDS, *flags))})")
    for each in {event.id: event for event in events}.values():
        rules = {event.rule for event in events if event.id == each.id}
        row = [each.id, each.time, *each.fields.values(), *(int(IDS[name] in rules) for name in BASES)]
        database.execute(f"INSERT INTO logs VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  # of `?` only


@settings(max_examples=400, deadline=None)
@given(st.builds(Random, st.integers(0, 2**63)))
def test_alerts_are_those_of_sql(random: Random) -> None:
    bodies = sections(random)
    events = [
        Event(each.rule, each.id, each.time, {name: ASCII.get(str(text), text) for name, text in each.fields.items()})
        for each in stream(random)
    ]
    linked = linked_of(bodies)
    assert linked is not None
    assert set(found(linked, events)) == second_opinion(bodies, events)
