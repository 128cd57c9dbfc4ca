"""`soc rules check`: every fault of every rule file.

What the engine refuses comes first; then what a rule says that can't be so (`lint`), and for our own rules how they are
written (`house`). Files that haven't changed are not looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from connectors.kept import contents
from detectors.errors import Place
from detectors.sigma.covers import cover
from detectors.sigma.document import Document, documents
from detectors.sigma.rule import Rule
from flows.authoring import house, lint
from flows.authoring.fields import Fields
from flows.authoring.memo import Memo
from flows.authoring.remarks import Remark, of_fault
from flows.ruleset import RuleSet, own_rules
from flows.settings import Settings


def check(rules: RuleSet, files: Iterable[str], fields: Fields, memo: Memo, *, strict: bool = False) -> list[Remark]:
    """Return what is to be said of rule files, in order; `strict` holds all of them to the style of our own."""
    compiled = _by_file(rules.rules)
    faulty = {fault.place.file for fault in rules.faults if fault.place}
    found = [of_fault(fault) for fault in rules.faults]
    for file in files:
        ours = strict or Path(file).resolve().is_relative_to(own_rules())
        try:
            known = memo.answer(file, lambda file=file, ours=ours: _told(file, compiled[file], fields, ours=ours))  # type: ignore[misc]
        except (OSError, UnicodeDecodeError):
            continue  # it is among the faults
        remarks = [Remark(Place(file, *place), *rest) for place, *rest in known]
        # a condition that can't be read asks for nothing
        found += [remark for remark in remarks if remark.code != "unused-part" or file not in faulty]
    memo.save()
    fields.save()
    return sorted([*found, *_alike(rules.rules)])


def kept(settings: Settings, *, strict: bool = False) -> Memo:
    """Return what was said of files before."""
    return Memo(settings.cache, "check", contents(settings.sources), b"strict" if strict else b"")


def _alike(rules: Sequence[Rule]) -> Iterator[Remark]:
    """Yield rules that ask what another asks, of the same log source."""
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.semantics, rule)
        if other is not rule:
            yield Remark(rule.place, "warning", "same-rule", f"it asks the same as {other.place}", "keep one of them")


def _by_file(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    found = defaultdict(list)
    for rule in rules:
        found[rule.place.file].append(rule)
    return found


def _told(file: str, rules: Sequence[Rule], fields: Fields, *, ours: bool) -> list[list[Any]]:
    """Return what is to be said of one file, as plain data."""
    found = [*_costly(rules)]
    read = [each for each in documents(Path(file).read_text("utf-8-sig"), file) if isinstance(each, Document)]
    alone = not any("correlation" in document.data for document in read)  # the rules of one are parts of it
    for document in read:
        found += [remark for each in lint.CHECKS for remark in each(document, fields)]
        found += house.remarks(document) if ours and alone else ()
        found += house.questions(document) if Path(file).resolve().is_relative_to(own_rules()) else ()
    return [
        [[each.place.line, each.place.column], each.severity, each.code, each.message, each.fix]
        for each in sorted(found)
    ]


def _costly(rules: Sequence[Rule]) -> Iterator[Remark]:
    for rule in rules:
        if cover(rule.condition) is None:
            message = "nothing must be there for this rule to match, so it is asked of every event"
            yield Remark(rule.place, "warning", "costly", message, "ask for something that is rare")
