"""Settings to what events are enriched with."""

from __future__ import annotations

from pathlib import Path

from connectors import registry, workdays
from connectors.enrichment import Enrichment, lists
from connectors.enrichment.geo import Geo
from connectors.enrichment.organisations import Organisations
from connectors.registry import Registry
from connectors.registry.models import Table
from detectors.workdays import Hours, Workdays
from flows.settings import Settings


def load(settings: Settings) -> Enrichment:
    """Read registry, calendar, lists and GeoIP files.

    Raises:
        DefinitionsError: with all faults of the first of these that has any.
        UsageError: a GeoIP file can't be read.
    """
    part = settings.enrichment
    files = [each if isinstance(each, Path) else Table(each.path, each.section, each.columns) for each in part.registry]
    known = registry.read(files, built_in=part.own_registry)
    return Enrichment(Organisations(known), calendar(settings, known), Geo(part.geoip), lists.read(part.address_lists))


def calendar(settings: Settings, known: Registry) -> Workdays:
    """Return the work calendar, with the hours and duties of registered units."""
    hours = {each.code: Hours(each.hours.morning, each.hours.afternoon) for each in known.units if each.hours}
    duty = {each.code for each in known.units if each.duty}
    return workdays.read(settings.enrichment.workdays, zone=settings.zone, hours=hours, duty=duty)
