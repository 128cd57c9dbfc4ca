"""Users of Elasticsearch's own realm, made once: their passwords are theirs afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from elasticsearch import ApiError, Elasticsearch

from connectors.elastic.client import reaching
from connectors.elastic.steps import ask


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a user; the password is told once, to whoever made it."""

    name: str
    outcome: str  # created, updated, unchanged
    password: str = ""


def grant(client: Elasticsearch, name: str, role: str) -> Made:
    """Give a user a role, beside those it has; one that isn't there is made, with a password of its own."""
    path = f"/_security/user/{name}"
    with reaching(f"look up the user {name}"):
        try:
            known = ask(client, "GET", path).get(name)
        except ApiError as error:
            if error.status_code != 404:
                raise
            known = None
    if known is None:
        password = secrets.token_urlsafe(18)
        with reaching(f"make the user {name}"):
            ask(client, "PUT", path, {"password": password, "roles": [role]})
        return Made(name, "created", password)
    if role in known["roles"]:
        return Made(name, "unchanged")
    kept = {key: known[key] for key in ("full_name", "email", "metadata", "enabled") if known.get(key) is not None}
    with reaching(f"give the user {name} the role {role}"):
        ask(client, "PUT", path, {**kept, "roles": [*known["roles"], role]})
    return Made(name, "updated")
