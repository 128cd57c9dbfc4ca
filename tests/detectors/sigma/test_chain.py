"""Modifiers together: every chain either runs or is refused in words, whatever the value."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.errors import RuleError
from detectors.sigma import chain
from detectors.sigma.departures import MODIFIERS
from detectors.sigma.document import TextError
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule
from tests.detectors.sigma.asking import DIALECT, frame

EVENTS = frame([{"f": "-x", "g": "5"}, {"f": "10.0.0.1"}, {"f": "2024-05-06T07:08:09Z"}, {}])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.sampled_from([0.5, 1e300, float("inf"), 2**63]),
    st.text("-/*?\\%ax. ([{|^$1é", max_size=6),
    st.sampled_from(["10.0.0.0/8", "::/0", "%a%", "g", "-a -b -c -d"]),
    st.dates(),
    st.binary(max_size=2),
)
CHAINS = st.lists(st.sampled_from([*MODIFIERS, "frob", ""]), max_size=4)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["f", ""]), CHAINS, st.one_of(VALUES, st.lists(VALUES, max_size=3)))
def test_a_rule_runs_or_is_refused_in_words(field: str, modifiers: list[str], value: object) -> None:
    detection = {"sel": {"|".join([field, *modifiers]): value}, "condition": "sel"}
    text = yaml.safe_dump({"title": "t", "logsource": {"category": "test"}, "detection": detection}, allow_unicode=True)
    for found in rules(text, "r.yml", {"a": ["1", "b*"]}):
        if isinstance(found, Rule):
            engine = Engine([found])
            engine.detect(DIALECT, EVENTS)
            assert engine.failures == {}
        else:
            assert isinstance(found, RuleError)
            assert found.place is not None
            assert found.place.line
            assert "Sigma" not in str(found)


@pytest.mark.parametrize(
    ("text", "names", "gives", "every", "negated"),
    [
        ("contains", ("contains",), "", False, False),
        ("all|contains|windash", ("contains", "windash"), "", True, False),
        ("neq|re|i", ("re", "i"), chain.REGEX, False, True),
        ("wide|base64|base64|contains", ("wide", "base64", "base64", "contains"), chain.ENCODED, False, False),
        ("hour|gt", ("hour", "gt"), chain.COMPARISON, False, False),
        ("all|neq", (), "", True, True),
    ],
)
def test_chains(text: str, names: tuple[str, ...], gives: str, every: bool, negated: bool) -> None:
    assert chain.read(text) == chain.Chain(names, gives, every, negated)


def test_every_modifier_has_its_place() -> None:
    flags = {"i", "ignorecase", "m", "multiline", "s", "dotall"}
    for name in MODIFIERS:
        assert chain.read(f"re|{name}" if name in flags else name)
    for name in flags:
        with pytest.raises(TextError, match="takes a regular expression"):
            chain.read(name)
