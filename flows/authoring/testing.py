"""`soc rules test`: run what stands inside the rules, and ask what would go unnoticed.

Tests of correlations are run in other orders as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from detectors.correlation.link import Linked
from detectors.errors import Place
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows.assembly import Parts
from flows.authoring.memo import Memo
from flows.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule's tests; `tried` counts the changes, None if none were tried."""

    rule: str
    title: str
    failures: tuple[str, ...]
    tried: int | None
    survivors: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return asdict(self)


def test(
    rules: RuleSet, load: Callable[[], Parts], memo: Memo, lists: Lists, *, mutate: bool | None, own: Path
) -> list[Result]:
    """Test every rule and correlation; `mutate` None leaves things out of those below `own` only.

    What runs them is loaded if any has tests of which `memo` doesn't know what came.
    """

    def asked(place: Place) -> bool:
        return mutate if mutate is not None else Path(place.file).resolve().is_relative_to(own)

    found = [_result(rule, load, memo, lists if asked(rule.place) else None) for rule in rules.tested]
    return found + [
        _correlated(linked, load, memo, lists if asked(linked.rule.place) else None) for linked in rules.correlations
    ]


def summary(results: Sequence[Result]) -> str:
    """Return one line: rules, failures, and how many changes were noticed."""
    failed = sum(bool(result.failures) for result in results)
    tried = sum(result.tried or 0 for result in results)
    missed = sum(len(result.survivors) for result in results)
    told = f"{len(results):,} rules tested, {failed:,} failed"
    if tried:
        told += f"; {tried - missed:,} of {tried:,} things left out were noticed ({(tried - missed) / tried:.0%})"
    return told


def _result(rule: Rule, load: Callable[[], Parts], memo: Memo, lists: Lists | None) -> Result:
    def run() -> list[str]:
        ruletests = import_module("flows.ruletests")  # brings the parsers: not where all is known already
        return [str(failure) for failure in ruletests.of_rule(rule, load())]

    def leave_out() -> list[Any]:
        mutation = import_module("flows.authoring.mutation")  # brings pySigma
        score = mutation.score(rule, load(), lists)
        return [score.tried, [str(survivor) for survivor in score.survivors]]

    failures = memo.answer(rule.place.file, run, f"failures {rule.place}")
    tried, survivors = (
        memo.answer(rule.place.file, leave_out, f"survivors {rule.place}") if lists is not None else (None, [])
    )
    return Result(rule.meta.id, rule.meta.title, tuple(failures), tried, tuple(survivors))


def _correlated(linked: Linked, load: Callable[[], Parts], memo: Memo, lists: Lists | None) -> Result:
    place, meta = linked.rule.place, linked.rule.meta

    def run() -> list[str]:
        ruletests = import_module("flows.ruletests")
        return [str(failure) for failure in ruletests.of_correlation(linked, load())]

    def leave_out() -> list[Any]:
        mutation = import_module("flows.authoring.correlationmutation")
        score = mutation.score(linked, load(), lists)
        return [score.tried, [str(survivor) for survivor in score.survivors]]

    state = f"{place} {linked.semantics}"  # the rules that it refers to may stand in other files
    failures = memo.answer(place.file, run, f"failures {state}")
    tried, survivors = memo.answer(place.file, leave_out, f"survivors {state}") if lists is not None else (None, [])
    return Result(meta.id, meta.title, tuple(failures), tried, tuple(survivors))
