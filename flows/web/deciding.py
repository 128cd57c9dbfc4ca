"""What forms say of findings and incidents: looked at, then appended to what was said before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from connectors.store_schema import REASONS
from connectors.store_wanted import Status
from detectors.errors import UsageError
from flows.triage.deciding import close_members
from flows.triage.duties import MARK, SENT, Duties, Mark

FIELDS = ("status", "reason", "owner", "note")
CASE_FIELDS = (*FIELDS, "members", "mark", "sent")


@dataclass(frozen=True, slots=True)
class Matter:
    """What is decided about: whether it is there, what was said of it, and how more is said."""

    there: Callable[[Store, str], bool]
    history: Callable[[Store, str], Sequence[Triage]]
    decide: Callable[[Store, str, str, Mapping[str, str]], None]  # store, id, who, what the form says


def decided(
    matter: Matter, store: Store, name: str, fields: Mapping[str, str], *, actor: str, law: Duties
) -> str | None:
    """Append what a form says; return the label of what is wrong with it, if anything."""
    given = {key: value for key, value in fields.items() if key not in {"form", "seen", "members"} and value.strip()}
    if problem := _problem(given, law):
        return problem
    if not matter.there(store, name):
        return "not_found"
    if fields.get("seen") != str(len(matter.history(store, name))):
        return "changed_meanwhile"
    matter.decide(store, name, actor, {**given, "members": fields.get("members", "")})
    return None


def _problem(given: Mapping[str, str], law: Duties) -> str | None:
    if not given:
        return "nothing_said"
    if given.get("status") == "closed" and "reason" not in given:
        return "close_needs_reason"
    choices = {"status": get_args(Status), "reason": REASONS, "mark": get_args(Mark)}
    choices["sent"] = tuple(duty.id for duty in law.duties)
    return None if all(given.get(name) in {None, *some} for name, some in choices.items()) else "no_form"


def _entry(name: str, actor: str, given: Mapping[str, str]) -> Triage:
    status: Status | None = given.get("status")  # type: ignore[assignment]  # one of them, as was just seen
    reason = given.get("reason") if status == "closed" else None
    owner, note = (given.get(key, "").strip() or None for key in ("owner", "note"))
    return Triage(name, datetime.now(UTC), actor, status, owner, note, reason)


def _decide_finding(store: Store, name: str, actor: str, given: Mapping[str, str]) -> None:
    store.decide(_entry(name, actor, given))


def _decide_case(store: Store, name: str, actor: str, given: Mapping[str, str]) -> None:
    cases, entry = Cases(store), _entry(name, actor, given)
    for key, prefix in (("mark", MARK), ("sent", SENT)):
        if key in given:
            cases.decide(Triage(name, entry.time, actor, note=f"{prefix}{given[key]}"))
    if any((entry.status, entry.owner, entry.note)):
        cases.decide(entry)
    if entry.status == "closed" and given.get("members"):
        close_members(store, entry)


def _case_is_there(store: Store, name: str) -> bool:
    try:
        Cases(store).one(name)
    except UsageError:
        return False
    return True


FINDING = Matter(lambda store, name: store.finding(name) is not None, Store.history, _decide_finding)
CASE = Matter(_case_is_there, lambda store, name: Cases(store).history(name), _decide_case)
