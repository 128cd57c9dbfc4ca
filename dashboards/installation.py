"""All that `soc setup` puts into Elasticsearch besides templates, by path: roles, and extras of larger servers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict

from dashboards.templates import Body
from detectors.errors import UsageError

DEFINITION: Final = Path(__file__).with_name("access.yml")
LIFECYCLE: Final = "soc-lifecycle"


class Access(BaseModel):
    """The whole of access.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: dict[str, Body]
    reader: Body
    lifecycle: dict[str, Body]
    latest: Body


def read(path: Path = DEFINITION) -> Access:
    """Read the definition."""
    return Access.model_validate(yaml.safe_load(path.read_text("utf-8")))


def roles(access: Access) -> dict[str, Body]:
    """Return the roles that every server has, by path."""
    return {f"_security/role/{name}": _marked(body, "metadata") for name, body in access.roles.items()}


def readers(access: Access, organisations: Iterable[str]) -> dict[str, Body]:
    """Return a role per organisation, which sees its documents only."""
    return {f"_security/role/soc_reader_{_slug(each)}": _reader(access, each) for each in organisations}


def _reader(access: Access, organisation: str) -> Body:
    query = json.dumps({"term": {"organization.id": organisation}})
    indices = [{**each, "query": query} for each in access.reader["indices"]]
    return _marked({**access.reader, "indices": indices}, "metadata")


def _slug(organisation: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", organisation):
        raise UsageError(
            f"{organisation!r} is no id of an organisation", fix="write it as the registry has it: 000.01.H21"
        )
    return organisation.lower()


def lifecycle(access: Access, keep: int | None) -> dict[str, Body]:
    """Return the policy, and the component that gives it to our indices; `keep` is the days after which they go."""
    phases = dict(access.lifecycle)
    if keep is not None:
        phases["delete"] = {"min_age": f"{keep}d", "actions": {"delete": {}}}
    settings = {"template": {"settings": {"index.lifecycle.name": LIFECYCLE}}}
    return {
        f"_ilm/policy/{LIFECYCLE}": {"policy": _marked({"phases": phases}, "_meta")},
        "_component_template/soc@lifecycle": _marked(settings, "_meta"),
    }


def latest(access: Access) -> dict[str, Body]:
    """Return the transform that keeps the newest risk of every entity."""
    return {"_transform/soc-entity-latest": _marked(access.latest, "_meta")}


def _marked(body: Body, where: str) -> Body:
    """Add a hash of the rest, by which what is installed is known as ours, and as this version."""
    text = json.dumps(body, sort_keys=True)
    mark: dict[str, Any] = {**body.get(where, {}), "fingerprint": hashlib.sha256(text.encode()).hexdigest()}
    return {**body, where: mark}
