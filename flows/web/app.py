"""The pages' addresses and what stands behind each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from importlib.resources import files
from typing import Any, Final, get_args

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.store_schema import REASONS
from connectors.store_wanted import Status
from detectors.errors import UsageError
from detectors.numbers import number
from flows.report.words import LANGUAGES, Clock
from flows.templates import pages
from flows.web import cases, deciding, listing, single
from flows.web.deciding import Matter
from flows.web.guard import Guard, RefusedError, form
from flows.web.site import Site
from flows.web.speech import spoken

STATIC: Final = {"web.css": "text/css", "web.js": "text/javascript"}
Handler = Callable[[Request], Awaitable[Response]]
Shown = Callable[[Site, Request], Mapping[str, Any] | None]


def application(site: Site, hosts: Collection[str] = (), *, secure: bool = False) -> ASGIApp:
    """Return the whole site behind its guard; `hosts` are names it may be asked for under, beside the local ones."""
    routes = [
        Route("/", _page(site, "list", listing.shown)),
        Route("/finding", _deciding(site, "finding", single.shown, deciding.FINDING), methods=["POST"]),
        Route("/finding", _page(site, "finding", single.shown)),
        Route("/risk", _page(site, "risk", cases.risks)),
        Route("/incidents", _page(site, "incidents", cases.incidents)),
        Route("/incident", _deciding(site, "incident", cases.incident, deciding.CASE), methods=["POST"]),
        Route("/incident", _page(site, "incident", cases.incident)),
        Route("/static/{name}", _static),
    ]
    return Guard(Starlette(routes=routes), site.keys, hosts, secure=secure)


def _page(site: Site, name: str, shown: Shown) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            view = await run_in_threadpool(shown, site, request)
        except UsageError as error:
            return render(site, request, "problem", {"problem": "unusable", "detail": str(error)}, 400)
        if view is None:
            return render(site, request, "problem", {"problem": "not_found", "detail": ""}, 404)
        return render(site, request, name, view)

    return answer


def _deciding(site: Site, name: str, shown: Shown, matter: Matter) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            fields = await form(request, site.keys)
        except RefusedError as error:
            return render(site, request, "problem", {"problem": str(error), "detail": ""}, 400)
        about = request.query_params.get("id", "")
        problem = await run_in_threadpool(
            deciding.decided, matter, site.store, about, fields, actor=site.actor, law=site.law
        )
        if problem is None:
            return RedirectResponse(f"/{name}?{request.url.query}", 303)
        view = await run_in_threadpool(shown, site, request)
        if view is None:
            return render(site, request, "problem", {"problem": "not_found", "detail": ""}, 404)
        return render(site, request, name, {**view, "problem": problem, "typed": {**view["typed"], **fields}}, 409)

    return answer


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response(status_code=404)
    text = files("flows.web").joinpath("static", name).read_text("utf-8")
    if name == "web.css":
        text = files("flows.report").joinpath("page.css").read_text("utf-8") + text
    return Response(text, media_type=STATIC[name])


def render(site: Site, request: Request, name: str, view: Mapping[str, Any], status: int = 200) -> Response:
    """Return a page; jinja2 escapes every text."""
    lang = site.lang(request)
    shown = {
        "t": spoken(lang),
        "lang": lang,
        "number": partial(number, lang=lang),
        "languages": LANGUAGES,
        "actor": site.actor,
        "form_key": site.keys.form,
        "here": request.url.path,
        "query": dict(request.query_params),
        "reasons": REASONS,
        "statuses": get_args(Status),
        "stale": site.upkeep.problem if site.upkeep else "",
        "known": Clock(site.zone, spoken(lang)["time_format"]).moment(site.upkeep.since if site.upkeep else None),
        **view,
    }
    answer = HTMLResponse(_TEMPLATES.get_template(f"{name}.html.j2").render(shown), status)
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie("lang", lang, httponly=True, samesite="strict")
    return answer


_TEMPLATES: Final = pages("flows.web", "pages")
