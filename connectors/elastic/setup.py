"""What Elasticsearch needs before the first finding: installed by `soc setup`, looked after by `soc doctor`.

Nothing that holds documents is ever deleted or changed: an update gives new fields to the indices that stand, and what
can't be given to one (a field that has another type there) holds from the next month on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch

from connectors.elastic.client import reaching, reason
from connectors.elastic.overruled import overruled
from connectors.elastic.steps import Found, Need, Outcome, Step, install, look, undo
from detectors.errors import SocError, UnavailableError, UsageError

NEEDED = ("create_doc", "auto_configure")
TOO_MUCH = ("index", "delete", "write")  # with these a stolen password could rewrite findings
OLDEST = 9
LOWER: Final = "delete that template, or give it a priority below 500: its indices lack our fields"
KINDS: Final = {
    "_component_template": "component template",
    "_index_template": "index template",
    "_security": "role",
    "_ilm": "lifecycle policy",
    "_transform": "transform",
}

Bodies = Mapping[str, Mapping[str, Any]]  # what to install, by path


@dataclass(frozen=True, slots=True)
class Done:
    """What became of each thing; which indices keep old types, and why; what was there before."""

    things: tuple[Found, ...]
    kept: Mapping[str, str] = field(default_factory=dict)
    before: tuple[tuple[Step, Mapping[str, Any] | None], ...] = ()


def steps(bodies: Bodies, costs: Need = "all") -> list[Step]:
    """Return the steps that install some things, in their order; `costs` says what a refusal does."""
    return [
        Step(KINDS[path.partition("/")[0]], path, body, costs, "metadata" if "_security" in path else "_meta")
        for path, body in bodies.items()
    ]


def setup(client: Elasticsearch, bodies: Bodies) -> dict[str, Outcome]:
    """Install what everything needs; say of each whether it was created, updated or unchanged."""
    return {found.step.path: found.outcome for found in carry_out(client, look(client, steps(bodies))).things}


def carry_out(client: Elasticsearch, plan: list[Found]) -> Done:
    """Do what was planned. A template that fails costs everything: what is done is taken back.

    Raises:
        UnavailableError: something is refused; what was done is undone, and it says so where even that can't be had.
    """
    things: list[Found] = []
    done: list[tuple[Step, Mapping[str, Any] | None]] = []
    for found in plan:
        try:
            things.append(now := install(client, found))
        except UnavailableError as fault:
            left = undo(client, done)
            told = "; ".join(left) if left else "what was done before is taken back"
            raise UnavailableError(f"{fault.message} ({told})", fix=_fix(fault)) from fault
        if now.outcome in {"created", "updated"}:
            done.append((found.step, found.before))
    kept = {index: why for step, _ in done for index, why in _widened(client, step)}
    return Done(tuple(things), kept, tuple(done))


def _fix(fault: UnavailableError) -> str:
    if "priority" in fault.message:
        return "another template takes the same indices: delete it, or give it another priority than 500"
    return fault.fix


def _widened(client: Elasticsearch, step: Step) -> Iterator[tuple[str, str]]:
    """Give new fields to the indices that stand; yield those that can't take them, and why."""
    if not step.path.endswith("@mappings"):
        return
    alias, mappings = step.name.removesuffix("@mappings"), step.body["template"]["mappings"]
    with reaching(f"list the indices of {alias}"):
        there = sorted(client.indices.get(index=f"{alias}-*", allow_no_indices=True, features="aliases"))
    for index in there:
        with reaching(f"give new fields to {index}"):
            try:
                client.indices.put_mapping(index=index, **mappings)
            except ApiError as error:
                if error.status_code != 400:
                    raise
                yield index, reason(error)


def check(client: Elasticsearch, bodies: Bodies) -> Iterator[tuple[str, SocError | None]]:
    """Yield what was looked at and the fault found there, if any: health, version, rights, templates."""
    try:
        with reaching("tell its health"):
            health = client.cluster.health()
            versions = client.nodes.info(filter_path="nodes.*.version")["nodes"].values()
    except UnavailableError as fault:
        yield "Elasticsearch", fault
        return
    red = UnavailableError("the cluster is red: some data can't be reached", fix="see GET _cluster/allocation/explain")
    yield f"Elasticsearch {health['cluster_name']} is {health['status']}", red if health["status"] == "red" else None
    yield from _versions(sorted({node["version"] for node in versions}))
    yield from _rights(client)
    for step in steps(bodies):
        what = f"{step.kind} {step.name}"
        try:
            (found,) = look(client, [step])
        except UnavailableError as fault:
            yield what, fault
        else:
            stale = UsageError(f"the {what} is missing or not ours", fix="run `soc setup`")
            yield what, None if found.outcome == "unchanged" else stale
    try:
        for name, others in overruled(client, bodies).items():
            yield f"index template {name}", UsageError(f"it is overruled by {others}", fix=LOWER)
    except UnavailableError as fault:
        yield "index templates of others", fault


def _versions(versions: list[str]) -> Iterator[tuple[str, SocError | None]]:
    old = [version for version in versions if int(version.partition(".")[0]) < OLDEST]
    fault = UsageError(f"version {', '.join(old)} is too old", fix=f"upgrade to {OLDEST} or newer") if old else None
    yield f"Elasticsearch version {', '.join(versions)}", fault


def _rights(client: Elasticsearch) -> Iterator[tuple[str, SocError | None]]:
    with reaching("tell our rights"):
        answer = client.security.has_privileges(
            index=[
                {"names": ["soc-findings-*", "soc-matches-*", "soc-suppressed-*"], "privileges": [*NEEDED, *TOO_MUCH]}
            ]
        )
    user = answer["username"]
    for right in NEEDED:
        lacks = [name for name, rights in answer["index"].items() if not rights[right]]
        fault = UsageError(f"user {user} lacks {right} on {', '.join(lacks)}", fix="give its role that privilege")
        yield f"user {user} may {right}", fault if lacks else None
    yield from _remembers(client, user)
    more = sorted({right for rights in answer["index"].values() for right in TOO_MUCH if rights[right]})
    fault = UsageError(f"user {user} may also {', '.join(more)}", fix="write as a user with create_doc only")
    yield f"user {user} can't change findings", fault if more else None


def _remembers(client: Elasticsearch, user: str) -> Iterator[tuple[str, SocError | None]]:
    """Yield what the user lacks of what correlations need."""
    needed = {"soc-memory-*": ["create_doc", "read", "maintenance"], "soc-memory-state": ["index"]}
    with reaching("tell our rights"):
        asked = [{"names": [name], "privileges": rights} for name, rights in needed.items()]
        answer = client.security.has_privileges(index=asked)["index"]
    lacks = [f"{right} on {name}" for name, rights in needed.items() for right in rights if not answer[name][right]]
    fault = UsageError(f"user {user} lacks {', '.join(lacks)}", fix="give its role these privileges")
    yield f"user {user} may remember matches for correlations", fault if lacks else None
