"""The local page for triage without Kibana: findings, their evidence, and what people say of them."""

from __future__ import annotations

from flows.web.app import application
from flows.web.guard import Keys
from flows.web.site import Site
from flows.web.upkeep import Upkeep

__all__ = ["Keys", "Site", "Upkeep", "application"]
