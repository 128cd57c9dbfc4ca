"""Values to a rule that asks for them literally."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.errors import UsageError
from detectors.sigma.predicates import encode
from flows.selecting import ANYWHERE, selection


def test_values_of_a_field_are_choices_and_fields_are_conditions() -> None:
    rule = selection(["user.name=lan", "user.name=minh", "source.ip=192.0.2.1"])
    assert rule.logsource == ANYWHERE
    assert {"lan", "minh", "192.0.2.1"} <= set(str(encode(rule.condition)).replace("'", " ").split())


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_no_value_is_read_as_a_pattern(value: str) -> None:
    assert "glob" not in str(encode(selection([f"user.name={value}"]).condition))


@pytest.mark.parametrize("text", ["lan", "=lan", "user.name|contains=lan"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no field with a value"):
        selection([text])
