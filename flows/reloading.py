"""The rules of a run, read again between batches when their files change.

A new version that is broken keeps the former one, and says so; so does a file that is still being written. A process
that runs again and again remembers the former versions from one run to the next, those of settings and source
definitions too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from detectors.errors import RuleError, SocError, UsageError
from flows import assembly, lists
from flows.assembly import Parts
from flows.lists import UnreadError
from flows.ruleset import RuleSet, rule_files, unnamed
from flows.settings import Settings, load
from flows.terminal import plain

INTERVAL = 2.0  # seconds between two looks at the files
WRITTEN = 1.0  # seconds that files must have been left alone
Say = Callable[[str], object]
Stamps = dict[str, tuple[int, int, int]]

_former: dict[tuple[str, ...], Parts] = {}  # of runs that ended, by the folders of their rules
_settings: dict[Path | None, Settings] = {}  # as they were last read, by their file
_faults: set[str] = set()  # of settings, that were told


def current(config: Path | None, say: Say) -> Settings:
    """Return the settings as their file has them now; where it is broken, as it had them before.

    Raises:
        UsageError: it is broken, and was never read in this process.
    """
    try:
        _settings[config] = load(config)
    except SocError as error:
        if config not in _settings:
            raise
        for line in {*error.lines()} - _faults:
            _faults.add(line)
            say(f"the former settings stay in use: {plain(line)}")
    else:
        _faults.clear()
    return _settings[config]


class Watched:
    """What a run needs, with rules as their files have them now."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings, self._say = settings, say
        self._folders = assembly.rule_folders(settings)
        self._looked = time.monotonic()
        self._key = tuple(str(folder.absolute()) for folder in self._folders)
        self._told: set[str] = set()
        self._left_out: set[str] = set()
        self._stamps: Stamps = {}
        loaded = self._first()
        self._left_out = {str(fault) for fault in loaded.faults}  # told at the start
        for fault in loaded.faults:
            say(f"left out: {plain(str(fault))}")
        before = _former[self._key].rules if self._key in _former else RuleSet((), ())
        self.parts = self._with(loaded, _kept(before, loaded))

    def changed(self) -> bool:
        """Read rules again if their files changed since; True where `parts` are others now."""
        if time.monotonic() - self._looked < INTERVAL:
            return False
        self._looked = time.monotonic()
        try:
            stamps = self._look()
            if stamps == self._stamps or _unsettled(stamps, self._stamps):
                return False
            loaded = self._loaded()
        except SocError as error:
            self._tell([error])
            return False
        self._stamps = stamps
        before = _semantics(self.parts.rules)
        kept = _kept(self.parts.rules, loaded)
        self.parts = self._with(loaded, kept)
        healed = _unnamed(loaded) - _unnamed(self.parts.rules)  # what exceptions name is there: its former version
        self._tell(fault for fault in loaded.faults if str(fault) not in healed)
        self._say(_told(before, _semantics(self.parts.rules), len(_names(kept))))
        return True

    def _first(self) -> RuleSet:
        """Return the rules at the start; where they can't be read, those of the run before."""
        try:
            self._stamps = self._look()
            return self._loaded()
        except SocError as error:
            if self._key not in _former:
                raise
            self._stay([error])
            return replace(_former[self._key].rules, faults=())

    def _loaded(self) -> RuleSet:
        """Return the rules; raise what a list can't be read for, if rules were read with it before."""
        loaded = assembly.load_rules(self._settings)
        unread = (fault for fault in loaded.faults if isinstance(fault, UnreadError))
        if self._key in _former and (error := next(unread, None)):
            raise error
        return loaded

    def _stay(self, errors: Iterable[SocError]) -> None:
        for line in (line for error in errors for line in error.lines()):
            self._once(f"can't be read again: {plain(line)}")
        self._once("what was read before stays in use")

    def _with(self, loaded: RuleSet, kept: RuleSet) -> Parts:
        """Return the parts around rules as they are now, and former versions of the broken ones."""
        rules = replace(
            loaded,
            rules=(*loaded.rules, *kept.rules),
            correlations=(*loaded.correlations, *kept.correlations),
            filters=(*loaded.filters, *kept.filters),
        )
        for name, title in _names(kept).items():
            self._once(f"the former version of `{plain(title)}` ({name}) stays in use")
        parts = self._around(rules)
        _former[self._key] = parts
        for fault in parts.rules.faults[len(rules.faults) :]:  # maintenance windows: what one would mute is told
            self._once(f"left out: {plain(str(fault))}")
        for missing in _lacking(parts):
            self._once(f"left out: {plain(missing)}")
        return parts

    def _around(self, rules: RuleSet) -> Parts:
        """Return the parts around rules; source definitions, enrichment that can't be read stay what they were."""
        like = _former.get(self._key)
        try:
            made = assembly.parts(self._settings, rules)
            known = _lacking(like) if like else _lacking(made)
            if not (fresh := [fault for text, fault in _lacking(made).items() if text not in known]):
                return made
            self._stay(fresh)
        except SocError as error:
            if like is None:
                raise
            self._stay([error])
        try:
            return assembly.parts(self._settings, rules, like)
        except UsageError:  # the file of maintenance windows: what they would mute is told
            return assembly.parts(self._settings.model_copy(update={"maintenance": None}), rules, like)

    def _tell(self, faults: Iterable[SocError]) -> None:
        for fault in faults:
            if str(fault) not in self._left_out:
                self._once(f"rules changed: {plain(str(fault))}")

    def _once(self, text: str) -> None:
        """Say something that may come up at every look, once."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)

    def _look(self) -> Stamps:
        listed = [*lists.files(assembly.list_paths(self._settings)), *assembly.maintenance_files(self._settings)]
        files = [*rule_files(self._folders), *map(str, listed)]
        return {path: stamp for path in files if (stamp := _stamp(path)) is not None}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - Path takes too long for thousands
    except OSError:
        return None  # gone since it was listed
    return status.st_size, status.st_mtime_ns, status.st_ino


def _unsettled(new: Stamps, old: Stamps) -> bool:
    """Say whether a changed file was written just now, and somebody may still be at it."""
    now = time.time_ns()
    return any(0 <= now - new[path][1] < WRITTEN * 1e9 for path in new if new[path] != old.get(path))


def _kept(former: RuleSet, loaded: RuleSet) -> RuleSet:
    """Return what was in files that have a fault now, unless something else has its id, or it needs what is gone."""
    broken = {fault.place.file for fault in loaded.faults if isinstance(fault, RuleError) and fault.place}
    there = {*_names(loaded)}
    rules = tuple(rule for rule in former.rules if rule.place.file in broken and rule.meta.id not in there)
    known = {rule.meta.id for rule in (*loaded.rules, *rules)}
    correlations = tuple(
        linked
        for linked in former.correlations
        if linked.rule.place.file in broken
        and linked.rule.meta.id not in there
        and all(leaf.id in known for leaf in linked.leaves())
    )
    filters = tuple(each for each in former.filters if each.place.file in broken and each.id not in there)
    return RuleSet(rules, (), filters, correlations)


def _lacking(parts: Parts) -> dict[str, SocError]:
    """Return what could not be read of what events are enriched with, by its words."""
    return {str(fault): fault for fault in (parts.enrichment.faults if parts.enrichment else ())}


def _unnamed(rules: RuleSet) -> set[str]:
    return {str(fault) for fault in unnamed(rules, rules.called)}


def _names(rules: RuleSet) -> dict[str, str]:
    """Return the titles of rules, correlations and exceptions by their ids."""
    return {meta.id: meta.title for meta in rules.metas()} | {each.id: each.title for each in rules.filters}


def _semantics(rules: RuleSet) -> dict[str, str]:
    """Return what rules, correlations and exceptions mean, by their ids."""
    return (
        {rule.meta.id: rule.semantics for rule in rules.rules}
        | {linked.rule.meta.id: linked.semantics for linked in rules.correlations}
        | {each.id: f"{each.semantics} {each.terms}" for each in rules.filters}
    )


def _told(before: dict[str, str], after: dict[str, str], kept: int) -> str:
    added, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    changed = sum(after[name] != semantics for name, semantics in before.items() if name in after)
    return f"rules read again: {added} added, {changed} changed, {gone} gone, {kept} broken (former version in use)"
