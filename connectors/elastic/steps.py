"""What `soc setup` installs in Elasticsearch, one thing after the other, each of which can be compared and taken back.

A step names a thing by its path: `_index_template/soc-findings`. A template that is refused costs everything, as
nothing works without; a role that is refused costs itself; an extra that the server or its licence lacks is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from elasticsearch import ApiError, Elasticsearch

from connectors.elastic.client import reaching, reason
from detectors.errors import UnavailableError

Json = dict[str, Any]
Outcome = Literal["created", "updated", "unchanged", "refused", "not offered", "not licensed"]
Need = Literal["all", "itself", "nothing"]
DATES: Final = frozenset({"created_date", "created_date_millis", "modified_date", "modified_date_millis"})
ABSENT: Final = frozenset({404})
FOREIGN: Final = frozenset({400, 405, 410, 500, 501})  # what servers say to paths that they don't know
LATER: Final = frozenset({401, 429, 502, 503, 504})  # nothing about the thing itself
HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Step:
    """A thing to install: where it stands, what it is, and what its refusal costs."""

    kind: str  # for people
    path: str
    body: Mapping[str, Any]
    costs: Need = "all"
    mark: str = "_meta"  # where in what the server gives back the fingerprint stands

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Found:
    """How a thing stands before anything is done."""

    step: Step
    outcome: Outcome  # what installing it will do
    before: Json | None = None  # its body, as the server takes it back
    why: str = ""


def look(client: Elasticsearch, steps: Iterable[Step]) -> list[Found]:
    """Compare what is to be installed with what stands there."""
    return [_looked(client, step) for step in steps]


def _looked(client: Elasticsearch, step: Step) -> Found:
    with reaching(f"show the {step.kind} {step.name}"):
        try:
            answer = ask(client, "GET", f"/{step.path}")
        except ApiError as error:
            if error.status_code in ABSENT and not _unknown(error):
                return Found(step, "created")
            if step.costs == "nothing" and error.status_code in ABSENT | FOREIGN:
                return Found(step, "not offered", why="this Elasticsearch has no such part")
            if step.costs == "itself" and error.status_code not in LATER:
                return Found(step, "refused", why=reason(error))
            raise
    before = unwrapped(step, answer)
    if before is None:
        return Found(step, "created")
    same = fingerprint(step, before) == fingerprint(step, step.body)
    return Found(step, "unchanged" if same else "updated", before)


def _unknown(error: ApiError) -> bool:
    """Say whether a 404 means that the server has no such path, rather than no such thing."""
    return "no handler" in reason(error)


def ask(client: Elasticsearch, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
    """Send what no method of the client does alike for all kinds of things."""
    answer = client.perform_request(method, path, headers=dict(HEADERS), body=body)
    return dict(answer.body) if isinstance(answer.body, dict) else {}


def unwrapped(step: Step, answer: Mapping[str, Any]) -> Json | None:
    """Return the body of a thing out of the answer to its GET, in the form in which it is put."""
    root = step.path.partition("/")[0]
    if root in {"_index_template", "_component_template"}:
        lists = answer.get(f"{root[1:]}s", [])
        return {key: value for key, value in lists[0][root[1:]].items() if key not in DATES} if lists else None
    if root == "_transform":
        drop = {"id", "version", "create_time", "authorization"}
        found = answer.get("transforms", [])
        return {key: value for key, value in found[0].items() if key not in drop} if found else None
    if step.path.startswith("_ilm/"):
        return {"policy": answer[step.name]["policy"]} if step.name in answer else None
    if step.name not in answer:
        return None
    return {key: value for key, value in answer[step.name].items() if key != "transient_metadata"}


def fingerprint(step: Step, body: Mapping[str, Any]) -> str:
    """Return the mark by which a thing of ours is known, "" if it has none."""
    inner = body.get("policy", {}) if step.path.startswith("_ilm/") else body
    return str((inner.get(step.mark) or {}).get("fingerprint", ""))


def install(client: Elasticsearch, found: Found) -> Found:
    """Put a thing in its place; return what became of it."""
    step = found.step
    if found.outcome not in {"created", "updated"}:
        return found
    with reaching(f"install the {step.kind} {step.name}"):
        try:
            if _is_transform(step) and found.before is not None:
                _remove(client, step)
            _put(client, step, step.body)
        except ApiError as error:
            outcome = _refusal(step, error)
            if outcome is None:
                raise
            return replace(found, outcome=outcome, why=reason(error))
    return found


def _refusal(step: Step, error: ApiError) -> Outcome | None:
    """Say what a refusal means for a thing; None: it can't be done without."""
    if error.status_code in LATER or step.costs == "all":
        return None
    if error.status_code == 403 and "license" in reason(error):
        return "not licensed"
    return "refused" if step.costs == "itself" else "not offered" if error.status_code in ABSENT | FOREIGN else None


def restore(client: Elasticsearch, step: Step, before: Mapping[str, Any] | None) -> None:
    """Bring a thing back to what it was: nothing, or its former body."""
    with reaching(f"take back the {step.kind} {step.name}"):
        if before is None or _is_transform(step):
            _remove(client, step)
        if before is not None:
            _put(client, step, before)


def _remove(client: Elasticsearch, step: Step) -> None:
    try:
        if _is_transform(step):
            ask(client, "POST", f"/{step.path}/_stop?wait_for_completion=true&allow_no_match=true")
        ask(client, "DELETE", f"/{step.path}")
    except ApiError as error:
        if error.status_code not in ABSENT:
            raise


def _put(client: Elasticsearch, step: Step, body: Mapping[str, Any]) -> None:
    # a transform may come before the index that it reads
    later = "?defer_validation=true" if _is_transform(step) else ""
    ask(client, "PUT", f"/{step.path}{later}", body)


def _is_transform(step: Step) -> bool:
    """Say whether it is a transform, which is never changed, but stopped, deleted and made anew."""
    return step.path.startswith("_transform/")


def undo(client: Elasticsearch, done: Iterable[tuple[Step, Mapping[str, Any] | None]]) -> list[str]:
    """Take back what was done, the last first; return what could not be taken back, with the reason."""
    faults = []
    for step, before in reversed(list(done)):
        try:
            restore(client, step, before)
        except UnavailableError as fault:
            faults.append(str(fault))
    return faults
