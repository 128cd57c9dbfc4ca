"""The rules that somebody names: by file or folder, by id, or by title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from detectors.errors import RuleError, UsageError
from detectors.sigma.rule import Rule
from flows import assembly, lists
from flows.ruleset import RuleSet, rule_files
from flows.settings import Settings


def some(name: str, settings: Settings, folders: Sequence[Path] = ()) -> RuleSet:
    """Return the rules of a file or folder, or the one of that id or title.

    Raises:
        UsageError: there is none.
    """
    if Path(name).exists():
        return of_paths([Path(name)], settings, folders)
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


def of_paths(paths: Sequence[Path], settings: Settings, folders: Sequence[Path] = ()) -> RuleSet:
    """Return the rules of files and folders; what they refer to may stand anywhere among the rules."""
    found = assembly.load_rules(settings, paths)
    if not found.faults:
        return found
    called = {Path(file).resolve(): file for file in rule_files(paths)}  # as the person who asks calls them
    called |= {file.resolve(): str(file) for file in lists.files(assembly.list_paths(settings))}
    where = assembly.rule_folders(settings, folders)
    others = [path for path in paths if not any(path.resolve().is_relative_to(folder.resolve()) for folder in where)]
    known = assembly.load_rules(settings, [*where, *others])
    linked = [each for each in known.correlations if Path(each.rule.place.file).resolve() in called]
    parts = [known.only(each) for each in linked]
    rules = {rule.id: rule for each in (*parts, found) for rule in each.rules}
    whole = {each.rule.meta.id: each for part in parts for each in part.correlations}
    faults = [
        RuleError(fault.message, place=replace(fault.place, file=file), fix=fault.fix)
        for fault in known.faults
        if fault.place and (file := called.get(Path(fault.place.file).resolve()))
    ]
    return RuleSet(tuple(rules.values()), tuple(faults), known.filters, tuple(whole.values()))


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
