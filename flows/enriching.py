"""Settings to what events are enriched with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectors import registry, workdays
from connectors.enrichment import Enrichment, lists
from connectors.enrichment.geo import Geo
from connectors.enrichment.organisations import Organisations
from connectors.registry import Registry
from connectors.registry.models import Table
from detectors.errors import DefinitionError
from detectors.workdays import Hours, Workdays
from flows.settings import Settings


def load(settings: Settings) -> Enrichment:
    """Read registry, calendar, lists and GeoIP files; what is wrong in them is left out and stands in `faults`."""
    part = settings.enrichment
    files = [each if isinstance(each, Path) else Table(each.path, each.section, each.columns) for each in part.registry]
    known = registry.read(files, built_in=part.own_registry)
    wrong: list[DefinitionError] = []
    days, geo, named = calendar(settings, known, wrong.append), Geo(part.geoip), lists.read(part.address_lists)
    faults = (*known.faults, *wrong, *geo.faults, *named.faults)
    return Enrichment(Organisations(known), days, geo, named, faults)


def calendar(settings: Settings, known: Registry, told: Callable[[DefinitionError], object]) -> Workdays:
    """Return the work calendar, with the hours and duties of registered units."""
    hours = {each.code: Hours(each.hours.morning, each.hours.afternoon) for each in known.units if each.hours}
    duty = {each.code for each in known.units if each.duty}
    return workdays.read(settings.enrichment.workdays, zone=settings.zone, hours=hours, duty=duty, told=told)
