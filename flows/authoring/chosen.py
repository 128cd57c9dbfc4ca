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
        return _of_path(Path(name), settings, folders)
    known = assembly.load_rules(settings, folders)
    wanted = name.lower()
    for rule in known.rules:
        if wanted in (rule.meta.id, rule.meta.title.lower()):
            return RuleSet((rule,), (), known.filters)
    for linked in known.correlations:
        if wanted in (linked.rule.meta.id, linked.rule.meta.title.lower()):
            return known.only(linked)
    raise UsageError(f"no rule file, id or title is {name!r}", fix="list them: soc rules list")


def correlation(name: str, settings: Settings, folders: Sequence[Path] = ()) -> RuleSet | None:
    """Return the correlation of that id or title, or the last of a file, with the rules it puts together."""
    found = some(name, settings, folders)
    used = {each.rule.meta.id for linked in found.correlations for each in linked.inner()}
    last = [linked for linked in found.correlations if linked.rule.meta.id not in used]
    return found.only(last[-1]) if len(last) == 1 else None


def _of_path(path: Path, settings: Settings, folders: Sequence[Path]) -> RuleSet:
    """Return the rules of a file or folder; what a correlation there refers to may stand anywhere among the rules."""
    found = assembly.load_rules(settings, [path])
    if not found.faults:
        return found
    where, here = assembly.rule_folders(settings, folders), path.resolve()
    inside = any(here.is_relative_to(folder.resolve()) for folder in where)
    known = assembly.load_rules(settings, where if inside else [*where, path])
    mine = [each for each in known.correlations if Path(each.rule.place.file).resolve().is_relative_to(here)]
    if len(mine) == len(found.correlations):
        return found
    parts = [known.only(linked) for linked in mine]
    rules = dict.fromkeys(rule for each in (found, *parts) for rule in each.rules)
    linked = {each.rule.meta.id: each for part in parts for each in part.correlations}
    faults = (fault for fault in known.faults if fault.place and Path(fault.place.file).resolve().is_relative_to(here))
    return RuleSet(tuple(rules), tuple(faults), known.filters, tuple(linked.values()))


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
