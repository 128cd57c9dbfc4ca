"""How to reach Kibana, and what its answers mean here."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from detectors.errors import UnavailableError, UsageError

FIXES: Final = {
    401: "check `kibana.username` and the password, or the API key",
    403: "give the user the role that docs/dashboards.md names for it",
    404: "check `kibana.url` (with the server's base path, if it has one) and `kibana.space`",
    413: "raise savedObjects.maxImportPayloadBytes in kibana.yml",
}
BUSY: Final = frozenset({429, 502, 503, 504})
FIRST, LONGEST = 1.0, 15.0  # seconds between attempts

Json = dict[str, Any]
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Access:
    """A Kibana, who we are there, and for how long to wait for it. `ca` names the authority of an https address."""

    url: str
    space: str = "default"
    user: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)  # an API key in the form `base64(id:key)`, in place of a user
    ca: Path | None = None
    timeout: float = 60.0
    patience: float = 120.0  # seconds


class Kibana:
    """Asks Kibana, again and again while it is starting or too busy, for as long as patience lasts."""

    def __init__(self, access: Access, say: Say = lambda _: None) -> None:
        headers = {"kbn-xsrf": "soc"} | ({"Authorization": f"ApiKey {access.key}"} if access.key else {})
        self.space = access.space
        self._say, self._patience = say, access.patience
        self._client = httpx.Client(
            base_url=access.url.rstrip("/") + ("" if access.space == "default" else f"/s/{access.space}"),
            headers=headers,
            auth=(access.user, access.password) if access.user and not access.key else None,
            verify=_trust(access.ca),
            timeout=access.timeout,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, method: str, path: str, *, allow: frozenset[int] = frozenset(), **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Send a request and return its answer.

        Raises:
            UnavailableError: Kibana can't be reached, or refuses; a status in `allow` is returned instead.
        """
        until, pause = time.monotonic() + self._patience, FIRST
        while True:
            try:
                answer = self._client.request(method, path, **request)
            except httpx.TransportError as error:
                fault = UnavailableError(
                    f"Kibana can't be reached at {self._client.base_url}: {error or type(error).__name__}",
                    fix="check that it runs and that address and certificate authority are right",
                )
            else:
                if answer.status_code not in BUSY:
                    return self._judged(answer, path, allow)
                fault = UnavailableError(f"Kibana isn't ready: HTTP {answer.status_code} {_words(answer)}",
                                         fix="give it time, or see its log")  # fmt: skip
            if time.monotonic() + pause > until:
                raise fault
            self._say(f"waiting {pause:.0f} s: {fault.message}")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def _judged(self, answer: httpx.Response, path: str, allow: frozenset[int]) -> httpx.Response:
        if answer.is_success or answer.status_code in allow:
            return answer
        fix = FIXES.get(answer.status_code, "see the log of Kibana")
        raise UnavailableError(
            f"Kibana refuses {path.partition('?')[0]}: HTTP {answer.status_code} {_words(answer)}", fix=fix
        )

    def json(self, answer: httpx.Response) -> Json:
        """Return the JSON of an answer; a page of a proxy or a login form is none."""
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UnavailableError(f"{answer.url.copy_with(query=None)} answers something that isn't Kibana's JSON",
                                   fix="check that `kibana.url` leads to Kibana itself")  # fmt: skip
        return found


def _trust(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the certificate authority {ca} can't be read: {error}", fix="check `kibana.ca`") from error


def _words(answer: httpx.Response) -> str:
    """Return Kibana's own words for a fault."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason_phrase
    return str(body.get("message") or body.get("error") or "")[:500] if isinstance(body, dict) else ""
