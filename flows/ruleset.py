"""Rule folders to compiled rules, by way of the cache."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from detectors.contracts import LogSource
from detectors.correlation import exceptions
from detectors.correlation.exceptions import names
from detectors.correlation.link import Linked, link
from detectors.correlation.rule import Correlation
from detectors.errors import Place, RuleError, UsageError
from detectors.meta import Meta
from detectors.sigma.exceptions import resolve
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows.rulecache import RuleCache, StoredRule

_SUFFIXES = (".yml", ".yaml")
_T = TypeVar("_T", StoredRule, Correlation, Filter)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that can run, exceptions to them, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    faults: tuple[RuleError, ...]
    filters: tuple[Filter, ...] = ()
    correlations: tuple[Linked, ...] = ()

    def __len__(self) -> int:
        """Count the rules and correlations."""
        return len(self.rules) + len(self.correlations)

    @property
    def called(self) -> dict[str, str]:
        """What filters may call correlations by, and the id of the rule that is meant."""
        return names(linked.rule for linked in self.correlations)

    @property
    def logsources(self) -> dict[str, LogSource]:
        """The log sources of rules by their ids."""
        return {rule.id: rule.logsource for rule in self.rules}

    @property
    def tested(self) -> list[Rule]:
        """The rules that have tests of their own; those of a rule of Sigma 1 that counts are its correlation's."""
        counting = {linked.rule.place for linked in self.correlations}
        return [rule for rule in self.rules if rule.place not in counting]

    def metas(self) -> list[Meta]:
        """Return what rules and correlations say of themselves."""
        return [*(rule.meta for rule in self.rules), *(linked.rule.meta for linked in self.correlations)]

    def only(self, linked: Linked) -> RuleSet:
        """Return a correlation with the rules that it puts together."""
        leaves = {leaf.id for leaf in linked.leaves()}
        return RuleSet(
            tuple(rule for rule in self.rules if rule.id in leaves), (), self.filters, (*linked.inner(), linked)
        )


def own_rules() -> Path:
    """Return the folder of the rules that come with the program."""
    return Path(str(files("rules")))


def load(folders: Sequence[Path], *, store: Path | None = None, lists: Lists | None = None) -> RuleSet:
    """Read every rule file below the folders (or the files themselves).

    Each fault costs its own rule or filter; of two with one id the first stays. `store` is the cache folder,
    None for none.
    """
    known = RuleCache(store, lists or {})
    rules: dict[str, StoredRule] = {}
    filters: dict[str, Filter] = {}
    correlations: dict[str, Correlation] = {}
    taken: dict[str, Place] = {}
    faults: list[RuleError] = []
    for path in rule_files(folders):
        for outcome in known.outcomes(path):
            if isinstance(outcome, StoredRule):
                faults += _add(rules, outcome.id, outcome, taken)
            elif isinstance(outcome, RuleError):
                faults.append(outcome)
            elif isinstance(outcome, Filter):
                faults += _add(filters, outcome.id, outcome, taken)
            else:
                faults += _add(correlations, outcome.meta.id, outcome, taken)
    known.save()
    linked, unlinked = link([*correlations.values()], rules.values()) if correlations else ((), ())
    found = RuleSet(tuple(rules.values()), (*faults, *unlinked), tuple(filters.values()), linked)
    return replace(found, faults=found.faults + unnamed(found, names(correlations.values()))) if filters else found


def unnamed(rules: RuleSet, called: Mapping[str, str]) -> tuple[RuleError, ...]:
    """Return what exceptions refer to and is not there; `called` gives the ids of correlations by their names."""
    faults = resolve(rules.filters, rules.rules, called).faults
    return faults + exceptions.resolve(rules.filters, rules.correlations, rules.logsources, called).faults


def _add(known: dict[str, _T], identity: str, new: _T, taken: dict[str, Place]) -> Sequence[RuleError]:
    """Add a rule, correlation or filter; say so where its id is taken."""
    if identity in taken:
        said = f"the id {identity} is taken by {taken[identity]}"
        return [RuleError(said, place=new.place, fix="give it a fresh UUID")]
    known[identity], taken[identity] = new, new.place
    return ()


def rule_files(folders: Iterable[Path]) -> Iterator[str]:
    """Yield the YAML files below the folders in a fixed order."""
    for folder in folders:
        if folder.is_file():
            yield str(folder)
        elif folder.is_dir():
            yield from sorted(
                os.path.join(root, name)  # noqa: PTH118 - Path takes too long for thousands
                for root, _, names in os.walk(folder)
                for name in names
                if name.endswith(_SUFFIXES)
            )
        else:
            raise UsageError(f"no rule file or folder at {folder}", fix="check --rules or `rules:` in soc.yml")
