"""Settings to the parts of a pipeline."""

from __future__ import annotations

from pathlib import Path

from flows import assembly
from flows.settings import Settings


def test_detections_are_those_of_the_rules_in_order(tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path))
    rules = parts.rules.rules
    assert len(rules) == len(parts.detections) > 20
    assert list(parts.detections) == [assembly.detection(rule) for rule in rules]
    assert list(parts.detections[3:5]) == [assembly.detection(rule) for rule in rules[3:5]]
    assert parts.engine.rules == rules


def test_a_rule_that_applies_to_no_source_at_hand_is_never_decoded(tmp_path: Path) -> None:
    for _ in range(2):
        parts = assembly.assemble(Settings(cache=tmp_path))
        parts.engine.wanted(parts.definitions["nginx"].dialect)
        for rule in parts.rules.rules:
            assert decoded(rule, "condition") == (rule.logsource.category == "webserver"), rule.place
            assert not decoded(rule, "meta")


def decoded(rule: object, name: str) -> bool:
    """Say whether a slot of a stored rule is filled, without filling it."""
    try:
        object.__getattribute__(rule, name)
    except AttributeError:
        return False
    return True
