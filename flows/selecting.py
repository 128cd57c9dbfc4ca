"""Fields and values to a rule that asks for nothing else, on any source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import yaml

from detectors.contracts import LogSource
from detectors.errors import RuleError, UsageError
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule, semantics

ANYWHERE = LogSource()
_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "\\*?"})  # in a value of Sigma


def selection(pairs: Sequence[str]) -> Rule:
    """Return the rule of texts FIELD=VALUE: one of the values of every field.

    Raises:
        UsageError: a text is no such pair.
    """
    wanted: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or "|" in name:
            raise UsageError(f"{pair!r} is no field with a value", fix="write --where user.name=lan")
        wanted.setdefault(name.strip(), []).append(value.translate(_SPECIAL))
    document = {
        "title": "Events with " + ", ".join(pairs),
        "logsource": {"category": "any"},
        "detection": {"selection": wanted, "condition": "selection"},
        "level": "informational",
    }
    for found in rules(yaml.safe_dump(document, allow_unicode=True), "--where"):
        if isinstance(found, RuleError):
            raise UsageError(found.message, fix=found.fix)
        return replace(found, logsource=ANYWHERE, semantics=semantics(ANYWHERE, found.condition))
    raise AssertionError  # one document makes a rule or a fault
