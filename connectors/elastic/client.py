"""How to reach Elasticsearch, and what its errors mean here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from detectors.errors import UnavailableError

FIXES = {
    401: "check user and password",
    403: "give the user the role that docs or `soc setup` describe for it",
    429: "the cluster is overloaded: give it time or nodes",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """An Elasticsearch cluster and who we are there. `ca` names the certificate authority of an https address."""

    urls: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    timeout: float = 30.0  # seconds per request


def connect(cluster: Cluster) -> Elasticsearch:
    """Return a client; nothing is sent yet. It doesn't retry by itself: the sink does, and counts."""
    options: dict[str, Any] = {"basic_auth": (cluster.user, cluster.password)} if cluster.user else {}
    if cluster.ca:
        options["ca_certs"] = str(cluster.ca)
    return Elasticsearch(
        list(cluster.urls), request_timeout=cluster.timeout, max_retries=0, retry_on_timeout=False, **options
    )


@contextlib.contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turn the client's errors into UnavailableError: `what` can't be done now, but may be done later."""
    try:
        yield
    except ApiError as error:
        fix = FIXES.get(error.status_code, "see the log of Elasticsearch")
        raise UnavailableError(
            f"Elasticsearch can't {what}: HTTP {error.status_code} {reason(error)}", fix=fix
        ) from error
    except TransportError as error:
        fix = "check that it runs and that address and certificate authority are right"
        raise UnavailableError(f"Elasticsearch can't {what}: {error.message}", fix=fix) from error


def reason(error: ApiError) -> str:
    """Return Elasticsearch's own words for a fault: `security_exception: unable to authenticate user …`."""
    body = error.body if isinstance(error.body, dict) else {}
    fault = body.get("error")
    return words(fault) if isinstance(fault, dict) else str(error.message)


def words(fault: dict[str, Any]) -> str:
    """Join type and reason of a fault with its cause, if there is one."""
    text = f"{fault.get('type')}: {fault.get('reason')}"
    cause = fault.get("caused_by")
    return f"{text} ({cause.get('reason')})" if isinstance(cause, dict) else text
