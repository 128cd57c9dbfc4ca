"""What Elasticsearch needs before the first finding: installed by `soc setup`, looked after by `soc doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from connectors.elastic.client import reaching
from detectors.errors import SocError, UnavailableError, UsageError

NEEDED = ("create_doc", "auto_configure")
TOO_MUCH = ("index", "delete", "write")  # with these a stolen password could rewrite findings
OLDEST = 9

Templates = Mapping[str, Mapping[str, Any]]  # the body of each index template, by name


def setup(client: Elasticsearch, templates: Templates) -> dict[str, str]:
    """Install the index templates; say of each whether it was created, updated or unchanged.

    An updated template also gives its new fields to the indices that already stand.
    """
    done = {}
    for name, body in templates.items():
        before = installed(client, name)
        done[name] = "created" if before is None else "unchanged" if before == fingerprint(body) else "updated"
        if done[name] == "unchanged":
            continue
        with reaching(f"install the index template {name}"):
            client.indices.put_index_template(name=name, body=dict(body))
            mappings = body["template"]["mappings"]
            client.indices.put_mapping(index=f"{name}-*", allow_no_indices=True, **mappings)
    return done


def check(client: Elasticsearch, templates: Templates) -> Iterator[tuple[str, SocError | None]]:
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
    for name, body in templates.items():
        stale = UsageError(f"the index template {name} is missing or not ours", fix="run `soc setup`")
        try:
            current = installed(client, name) == fingerprint(body)
        except UnavailableError as fault:
            yield f"index template {name}", fault
        else:
            yield f"index template {name}", None if current else stale


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


def installed(client: Elasticsearch, name: str) -> str | None:
    """Return the fingerprint of the template that is installed, "" if it has none, None if there is no template."""
    with reaching(f"show the index template {name}"):
        try:
            found = client.indices.get_index_template(name=name)
        except NotFoundError:
            return None
    meta = found["index_templates"][0]["index_template"].get("_meta", {})
    return str(meta.get("fingerprint", ""))


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the fingerprint our own template carries."""
    return str(body["_meta"]["fingerprint"])
