"""The rules that somebody names: by file or folder, by id, or by title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detectors.errors import RuleError, UsageError
from detectors.sigma.rule import Rule
from flows import assembly
from flows.ruleset import RuleSet
from flows.settings import Settings


def some(name: str, settings: Settings, folders: Sequence[Path] = ()) -> RuleSet:
    """Return the rules of a file or folder, or the one of that id or title.

    Raises:
        UsageError: there is none.
    """
    if Path(name).exists():
        return assembly.load_rules(settings, [Path(name)])
    known = assembly.load_rules(settings, folders)
    wanted = name.lower()
    for rule in known.rules:
        if wanted in (rule.meta.id, rule.meta.title.lower()):
            return RuleSet((rule,), (), known.filters)
    for linked in known.correlations:
        if wanted in (linked.rule.meta.id, linked.rule.meta.title.lower()):
            return known.only(linked)
    raise UsageError(f"no rule file, id or title is {name!r}", fix="list them: soc rules list")


def one(name: str, settings: Settings, folders: Sequence[Path] = ()) -> Rule:
    """Return the rule of a file, or of that id or title.

    Raises:
        RuleError: the file has a fault.
        UsageError: there is none, or more than one.
    """
    found = some(name, settings, folders)
    if len(found.rules) == 1:
        return found.rules[0]
    if found.faults and not found.rules:
        raise RuleError(found.faults[0].message, place=found.faults[0].place, fix=found.faults[0].fix)
    raise UsageError(f"{name!r} holds {len(found.rules)} rules", fix="name one of them, by its id")
