"""`soc setup` for Elasticsearch: what to install, the plan in words, and the record by which it is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from elasticsearch import ConflictError, Elasticsearch

from connectors.elastic.client import reaching
from connectors.elastic.differences import differences
from connectors.elastic.setup import Done, carry_out, steps
from connectors.elastic.steps import Found, Step, ask, look, undo
from dashboards import installation, templates
from detectors.errors import Place, UnavailableError, UsageError

SHOWN = 40  # lines of differences of one thing

Before = Sequence[tuple[Step, Any]]


def plan(client: Elasticsearch, *, organisations: Sequence[str], keep: int | None, extras: bool) -> list[Found]:
    """Compare all that is to be installed with what stands there: what everything needs first, then the extras."""
    access = installation.read()
    found = look(client, steps(templates.bodies(templates.read())))
    roles = installation.roles(access) | installation.readers(access, organisations)
    found += look(client, steps(roles, costs="itself"))
    if extras:
        found += look(
            client, steps(installation.lifecycle(access, keep) | installation.latest(access), costs="nothing")
        )
    return found


def told(found: Found) -> Iterator[str]:
    """Yield what will be done to a thing, and how it differs from what stands there."""
    step = found.step
    yield f"{found.outcome:<12} {step.kind} {step.name}{f' ({found.why})' if found.why else ''}"
    if found.outcome == "updated":
        lines = list(differences(found.before, step.body))
        yield from (f"    {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"    … {len(lines) - SHOWN} more"


def install(client: Elasticsearch, found: list[Found], record: Path) -> Done:
    """Do what was planned, and write down what was there before."""
    done = carry_out(client, found)
    if done.before:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps([[asdict(step), before] for step, before in done.before]), "utf-8")
    return done


def take_back(client: Elasticsearch, record: Path) -> list[str]:
    """Bring back what was there before the last installation; return what was taken back.

    Raises:
        UsageError: nothing is recorded.
        UnavailableError: some things could not be taken back; the record stays.
    """
    try:
        before: Before = [(Step(**step), body) for step, body in json.loads(record.read_text("utf-8"))]
    except FileNotFoundError:
        raise UsageError("nothing is recorded that could be taken back", place=Place(str(record)),
                         fix="roll back on the machine on which `soc setup` ran") from None  # fmt: skip
    except (ValueError, TypeError) as fault:
        raise UsageError(
            f"the record can't be read: {fault}", place=Place(str(record)), fix="see docs/setup.md"
        ) from fault
    faults = undo(client, before)
    if faults:
        raise UnavailableError("; ".join(faults), fix="mend what is named and roll back again")
    record.unlink()
    return [f"{'restored' if body else 'removed':<12} {step.kind} {step.name}" for step, body in before]


def start(client: Elasticsearch, done: Done) -> str | None:
    """Start the transform, if there is one that doesn't run; return why it still doesn't."""
    for found in done.things:
        if found.step.path.startswith("_transform/") and found.outcome in {"created", "updated", "unchanged"}:
            try:
                with reaching("start the transform"):
                    _started(client, found.step)
            except UnavailableError as fault:
                return fault.message
    return None


def _started(client: Elasticsearch, step: Step) -> None:
    try:
        ask(client, "POST", f"/{step.path}/_start")
    except ConflictError:
        return  # it runs
