"""Settings to the parts of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload
from zoneinfo import ZoneInfo

from detectors.correlation.exceptions import Excepted
from detectors.errors import SocError
from detectors.findings import Detection
from detectors.maintenance import Calendar
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import ValueList
from flows import lists, maintenance, ruleset
from flows.ruleset import RuleSet
from flows.settings import Settings

if TYPE_CHECKING:
    from connectors.definition import Definition
    from connectors.enrichment import Enrichment


@dataclass(frozen=True, slots=True)
class Parts:
    """What is loaded before the first batch."""

    definitions: Mapping[str, Definition]
    rules: RuleSet
    engine: Engine
    detections: Sequence[Detection]  # of the rule with the same number in the engine
    exceptions: Exceptions = field(default_factory=Exceptions)
    calendar: Calendar = field(default_factory=Calendar)
    excepted: Excepted = field(default_factory=Excepted)  # of correlations
    enrichment: Enrichment | None = None

    @property
    def faults(self) -> tuple[SocError, ...]:
        """What was left out, of rules and of what events are enriched with."""
        return (*self.rules.faults, *(self.enrichment.faults if self.enrichment else ()))


@dataclass(frozen=True, slots=True)
class Detections(Sequence[Detection]):
    """What findings say of each rule, made when it is asked for: most rules never match."""

    rules: Sequence[Rule]

    def __len__(self) -> int:
        return len(self.rules)

    @overload
    def __getitem__(self, index: int) -> Detection: ...

    @overload
    def __getitem__(self, index: slice) -> Detections: ...

    def __getitem__(self, index: int | slice) -> Detection | Detections:
        return Detections(self.rules[index]) if isinstance(index, slice) else detection(self.rules[index])


def assemble(settings: Settings, folders: Sequence[Path] | None = None) -> Parts:
    """Load source definitions and rules: those of the settings, or of the folders given instead."""
    return parts(settings, load_rules(settings, folders))


def parts(settings: Settings, rules: RuleSet, like: Parts | None = None) -> Parts:
    """Put together what runs these rules; definitions and enrichment are those of `like`, if they were loaded there."""
    from flows import enriching  # noqa: PLC0415 - takes long to import, and verbs that only read rules don't need it

    zone = ZoneInfo(settings.zone)
    exceptions = Exceptions(rules.filters, rules.rules, zone, rules.called)
    calendar, faults = maintenance.read(settings.maintenance, zone)
    enrichment = like.enrichment if like else enriching.load(settings)
    rules = replace(rules, faults=rules.faults + faults)
    return Parts(
        like.definitions if like else definitions(settings),
        rules,
        Engine(rules.rules),
        Detections(rules.rules),
        exceptions,
        calendar,
        Excepted(rules.filters, rules.correlations, rules.logsources, rules.called, zone),
        enrichment,
    )


def definitions(settings: Settings) -> Mapping[str, Definition]:
    """Load the source definitions of the settings."""
    from connectors.definitions import BUILT_IN, load_definitions  # noqa: PLC0415 - as above

    return load_definitions([BUILT_IN, *settings.sources], settings.cache)


def load_rules(settings: Settings, folders: Sequence[Path] | None = None) -> RuleSet:
    """Load the rules of the settings, or of the folders given instead."""
    known = lists.read(list_paths(settings))
    found = ruleset.load(rule_folders(settings, folders), store=settings.cache, lists=known.lists)
    return replace(found, faults=found.faults + known.faults)


def rule_folders(settings: Settings, folders: Sequence[Path] | None = None) -> list[Path]:
    """Return where rules are read from: the folders given, or else those of the settings."""
    return list(folders) if folders else [*([ruleset.own_rules()] if settings.own_rules else []), *settings.rules]


def list_paths(settings: Settings) -> list[Path]:
    """Return where value lists are read from."""
    return [settings.lists] if isinstance(settings.lists, Path) else settings.lists


def enrichment_paths(settings: Settings) -> list[Path]:
    """Return where what enriches events is read from."""
    part = settings.enrichment
    registry = [each if isinstance(each, Path) else each.path for each in part.registry]
    return [*registry, *([part.workdays] if part.workdays else []), *part.geoip, *part.address_lists]


def maintenance_files(settings: Settings) -> list[Path]:
    """Return where maintenance windows are read from."""
    return [settings.maintenance] if settings.maintenance else []


def value_lists(settings: Settings) -> Mapping[str, ValueList]:
    """Return the values of placeholders, whatever is wrong beside them."""
    return lists.read(list_paths(settings)).lists


def detection(rule: Rule) -> Detection:
    """Return what findings say of a Sigma rule."""
    return Detection(rule.meta, rule.semantics, provider="sigma")
