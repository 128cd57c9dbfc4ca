"""What every page is made of: the store, its keys, and for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from starlette.requests import Request

from connectors.store import Store
from flows.report.words import LANGUAGES
from flows.triage.duties import Duties, read
from flows.web.guard import Keys
from flows.web.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Site:
    """What every page needs to know."""

    store: Store
    keys: Keys
    zone: ZoneInfo
    language: str
    actor: str
    upkeep: Upkeep | None = None
    law: Duties = field(default_factory=read)

    def lang(self, request: Request) -> str:
        asked = request.query_params.get("lang") or request.cookies.get("lang")
        return asked if asked in LANGUAGES else self.language
