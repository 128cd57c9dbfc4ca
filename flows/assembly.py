"""Settings to the parts of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import yaml

from connectors.definitions import BUILT_IN, Definition, load_definitions
from detectors.errors import Place, UsageError
from detectors.findings import Detection
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows import ruleset
from flows.ruleset import RuleSet
from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What is loaded before the first batch."""

    definitions: dict[str, Definition]
    rules: RuleSet
    engine: Engine
    detections: Sequence[Detection]  # of the rule with the same number in the engine


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


def parts(settings: Settings, rules: RuleSet) -> Parts:
    """Put together what runs these rules."""
    definitions = load_definitions([BUILT_IN, *settings.sources])
    return Parts(definitions, rules, Engine(rules.rules), Detections(rules.rules))


def load_rules(settings: Settings, folders: Sequence[Path] | None = None) -> RuleSet:
    """Load the rules of the settings, or of the folders given instead."""
    chosen = list(folders) if folders else [*([ruleset.own_rules()] if settings.own_rules else []), *settings.rules]
    return ruleset.load(chosen, store=settings.cache, lists=_lists(settings.lists))


def detection(rule: Rule) -> Detection:
    """Return what findings say of a Sigma rule."""
    return Detection(rule.meta, rule.semantics, provider="sigma")


def _lists(path: Path | None) -> dict[str, list[str]]:
    """Read placeholder values: a mapping of names to lists of texts."""
    if path is None:
        return {}
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"the lists can't be read: {error}", place=Place(str(path))) from error
    if not isinstance(data, dict) or not all(isinstance(values, list) for values in data.values()):
        raise UsageError("not a mapping of names to lists", place=Place(str(path)), fix="write `name: [value, …]`")
    return {str(name): [str(value) for value in values] for name, values in data.items()}
