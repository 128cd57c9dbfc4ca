"""`soc rules promote`: experimental → test → stable, each step on evidence.

To `test`: no fault, and tests that notice whatever is left out. To `stable`, beside that: days of real events on which
the rule was tried, and no more findings a day than people can look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from detectors.correlation.link import Linked
from detectors.correlation.rule import Correlation
from detectors.errors import RuleError
from detectors.sigma.document import Document
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows import ruletests
from flows.assembly import Parts
from flows.authoring import chosen, correlationmutation, mutation
from flows.authoring.lint.unfinished import UNFINISHED
from flows.authoring.mutation import Score
from flows.authoring.remarks import Remark
from flows.authoring.trial import Trial
from flows.ruleset import RuleSet
from flows.settings import Settings

STEPS = {"": "experimental", "experimental": "test", "test": "stable"}
NOTICED = 1.0  # share of what is left out that tests must notice
DAYS = 7  # of real events
_STATUS = re.compile(r"""(['"]?status['"]?\s*:\s*)(['"]?)[a-z]+\2""")
_MODIFIED = re.compile(r"""(['"]?modified['"]?\s*:\s*)(['"]?)[\d/-]+\2""")
_NOTE = re.compile("# (?:experimental|test|stable) since ")
NOISE = {"informational": 50.0, "low": 20.0, "medium": 5.0, "high": 2.0, "critical": 1.0}  # findings a day at most


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to rise: a rule, or a correlation (`linked`) with the rules it puts together."""

    rules: RuleSet
    linked: Linked | None = None

    @property
    def rule(self) -> Rule | Correlation:
        """The one whose status it is."""
        return self.rules.rules[0] if self.linked is None else self.linked.rule

    def failures(self, parts: Parts) -> Iterator[ruletests.Failure]:
        """Run its tests."""
        if self.linked is None:
            return ruletests.of_rule(self.rules.rules[0], parts)
        return ruletests.of_correlation(self.linked, parts)

    def score(self, parts: Parts, lists: Lists) -> Score:
        """Ask what its tests would not notice."""
        if self.linked is None:
            return mutation.score(self.rules.rules[0], parts, lists)
        return correlationmutation.score(self.linked, parts, lists)


def asked(name: str, settings: Settings, folders: Sequence[Path] = ()) -> Asked:
    """Return the rule or correlation of that id or title, or of a file; of a file with both, the correlation.

    Raises:
        RuleError: the file has a fault.
        UsageError: there is none, or more than one.
    """
    together = chosen.correlation(name, settings, folders)
    if together is not None:
        return Asked(replace(together, filters=()), together.correlations[-1])
    return Asked(RuleSet((chosen.one(name, settings, folders),), ()))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that must be so, what was found, and what to do where it isn't so."""

    what: str
    met: bool
    found: str
    fix: str

    def __str__(self) -> str:
        """Return one line."""
        return f"✓ {self.what}: {self.found}" if self.met else f"✗ {self.what}: {self.found}; {self.fix}"


def next_status(rule: Rule | Correlation) -> str:
    """Return the status that comes next.

    Raises:
        RuleError: there is none.
    """
    if rule.meta.status not in STEPS:
        message = f"no status comes after {rule.meta.status}"
        raise RuleError(message, place=rule.place, fix="deprecate it by hand when it is no longer needed")
    return STEPS[rule.meta.status]


def evidence(
    rule: Rule | Correlation, status: str, remarks: list[Remark], *, failures: int, score: Score, trial: Trial | None
) -> list[Evidence]:
    """Return what the step asks for, and what is there."""
    file, errors = rule.place.file, sum(remark.severity == "error" for remark in remarks)
    blank, noticed = sum(remark.code == UNFINISHED for remark in remarks), score.tried - len(score.survivors)
    told = f"{noticed} of {score.tried} things left out" if score.tried else "there is nothing to leave out"
    found = [
        Evidence(
            "no fault", not errors, f"{errors} faults, {len(remarks) - errors} warnings", f"see soc rules check {file}"
        ),
        Evidence("tests pass", not failures, f"{failures} fail", f"see soc rules test {file}"),
        Evidence("tests notice", score.share >= NOTICED, told, f"see soc rules test --mutate {file}"),
    ]
    if blank:
        found.append(Evidence("said what only you know", False, f"{blank} blanks", f"see soc rules check {file}"))
    return [*found, *_tried(rule, trial)] if status == "stable" else found


def _tried(rule: Rule | Correlation, trial: Trial | None) -> Iterator[Evidence]:
    """Yield what a trial on the archive must show."""
    tried = trial.rules[rule.meta.id] if trial else None
    days, events = (len(trial.days), sum(trial.events.values())) if trial else (0, 0)
    rate, most = len(tried.findings) / days if tried and days else 0.0, NOISE[rule.meta.level]
    fix = "wait until the archive holds as many of its sources, or ask for older ones with --since"
    yield Evidence(f"tried on {DAYS} days", days >= DAYS, f"{days} days, {events:,} events", fix)
    fix = f"narrow it, or write an exception; see soc rules try {rule.place.file}"
    yield Evidence(f"at most {most:g} findings a day", rate <= most, f"{rate:.2f}", fix)


def rewritten(document: Document, status: str, evidence: Sequence[Evidence], day: date) -> str:
    """Return the text of a rule's file with another status, why it has it, and the day; nothing else changes."""
    lines = Path(document.file).read_text("utf-8").splitlines(keepends=True)
    note = f"# {status} since {day}: {'; '.join(f'{each.what}: {each.found}' for each in evidence)}\n"
    if "modified" in document.data:
        at = document.key("modified").line - 1
        lines[at] = _MODIFIED.sub(rf"\g<1>{day}", lines[at], count=1)
    if "status" not in document.data:
        at = document.key("title").line
        lines[at:at] = [note, f"status: {status}\n"]
        return "".join(lines)
    at = document.key("status").line - 1
    lines[at] = _STATUS.sub(rf"\g<1>{status}", lines[at], count=1)
    if at and _NOTE.match(lines[at - 1]):
        lines[at - 1] = note
    else:
        lines.insert(at, note)
    return "".join(lines)
