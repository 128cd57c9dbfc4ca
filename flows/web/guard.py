"""Who may ask, and what answers may do: a token, no foreign host or origin, a browser that runs only our script.

The token comes once in the address, becomes a cookie that scripts can't read, and leaves the address again. Changes
also need a word that only a page of ours holds, so another site's form changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM: Final = 64 * 1024  # bytes of a form at most
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with less, browsers would send forms from "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class RefusedError(Exception):
    """A request that isn't answered, and why."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The token of one start of the page, and what is made of it."""

    token: str

    @property
    def cookie(self) -> str:
        return self._made("cookie")

    @property
    def form(self) -> str:
        """The word that forms carry."""
        return self._made("form")

    def _made(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


class Guard:
    """ASGI around the pages. `hosts` are the names, without port, under which they may be asked for."""

    def __init__(self, app: ASGIApp, keys: Keys, hosts: Collection[str], *, secure: bool = False) -> None:
        self._app, self._keys, self._hosts, self._secure = app, keys, {*LOCAL, *hosts}, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._answer(Request(scope))
        await (answer or self._app)(scope, receive, guarded)

    def _answer(self, request: Request) -> Response | None:
        """Return what is answered instead of a page, if anything."""
        host = request.headers.get("host", "")
        if host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            return PlainTextResponse("unknown host name", 421)  # another site's name that leads to us
        if request.method not in {"GET", "HEAD"} and not _same_origin(request, host):
            return PlainTextResponse("asked for by another site", 403)
        given = request.query_params.get("token")
        if given is not None:
            return self._admit(request, given)
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(self._name(request))
        if cookie is None or not hmac.compare_digest(cookie.value.encode(), self._keys.cookie.encode()):
            return PlainTextResponse("Open the address that `soc web` printed: it holds the token.", 401)
        return None

    def _admit(self, request: Request, given: str) -> Response:
        if not hmac.compare_digest(given.encode(), self._keys.token.encode()):
            return PlainTextResponse("The token is wrong or of an earlier start; see what `soc web` printed.", 401)
        rest = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != "token"])
        # a path with two slashes in front would lead to another site
        response = RedirectResponse("/" + request.url.path.lstrip("/\\") + (f"?{rest}" if rest else ""), 303)
        name = self._name(request)
        response.set_cookie(name, self._keys.cookie, httponly=True, samesite="strict", secure=self._secure)
        return response

    @staticmethod
    def _name(request: Request) -> str:
        """Return the cookie's name: browsers keep cookies by host, and several pages may run on one."""
        return f"soc-{request.url.port or 0}"


def _same_origin(request: Request, host: str) -> bool:
    origin = request.headers.get("origin")
    if origin is not None:
        return origin == f"{request.url.scheme}://{host}"
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


async def form(request: Request, keys: Keys) -> dict[str, str]:
    """Return the fields of a form of ours.

    Raises:
        RefusedError: it is too long, no form, or not of ours.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM:
            raise RefusedError("too_long")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:  # not UTF-8, or too many fields
        raise RefusedError("no_form") from None
    if not hmac.compare_digest(fields.pop("form", "").encode(), keys.form.encode()):
        raise RefusedError("not_ours")
    return fields
