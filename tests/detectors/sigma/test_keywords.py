r"""Keywords are found in an event's values as they are, however the record writes them."""

from __future__ import annotations

import json

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.sigma import keywords
from detectors.sigma.fold import fold
from detectors.sigma.keywords import leaves
from tests.detectors.sigma.asking import compiled, matching, which

TEXTS = st.text('aB \\/"\n\té\u212aİ😀{}:,*', max_size=8)
WORDS = st.text('aB \\/"\té\u212aİ😀{}:,', min_size=1, max_size=3)


@pytest.fixture(autouse=True, params=[0, 1_000])
def _searched_or_taken_apart(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keywords, "_FEW", request.param)


def escaped(text: str) -> str:
    """Return a JSON text that writes every character as an escape."""
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2)) + '"'


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(TEXTS, min_size=1, max_size=4))
def test_a_keyword_is_found_however_json_writes_it(words: list[str], texts: list[str]) -> None:
    quoted = [word.replace("\\", "\\\\") for word in words]
    rule = compiled(yaml.safe_dump({"": quoted}, allow_unicode=True))
    for write in (json.dumps, lambda text: orjson.dumps(text).decode(), escaped):
        events = [{"event.original": f'{{"aB": [{write(text)}, {{"aB": {write(text[::-1])}}}]}}'} for text in texts]
        expected = [
            row
            for row, text in enumerate(texts)
            if any(fold(word) in part for word in words for part in (fold(text), fold(text[::-1])))
        ]
        assert which(rule, events) == expected


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ('{"a": "x", "b": {"c": [1, 2.5, true, null, "y"]}}', "x\n1\n2.5\ntrue\ny"),
        ('["a", ["b"]]', "a\nb"),
        ('"text"', "text"),
        ("5", "5"),
        ("{}", ""),
        ("not json {", "not json {"),
        ("", ""),
    ],
)
def test_the_text_of_an_event_is_its_values(record: str, text: str) -> None:
    assert leaves(record) == text


def test_deep_records_break_nothing() -> None:
    deep = '{"a":' * 1_000 + '"needle"' + "}" * 1_000
    assert matching("- needle", {"event.original": deep}, {"event.original": deep.replace("needle", "x")}) == [0]


def test_many_keywords_of_many_rules() -> None:
    detection = "- " + "\n- ".join(f"'word {number} x'" for number in range(3_000))
    events = [{"event.original": f'{{"a": "a Word {number} X."}}'} for number in (2_999, 3_000, 0)]
    assert matching(detection, *events) == [0, 2]


def test_keywords_that_are_too_long_for_a_pattern() -> None:
    texts = [f"{number:03}{'x' * 2_000}" for number in range(400)]
    detection = "- " + "\n- ".join(f"'{text}'" for text in texts)
    events = [{"event.original": f'{{"a": "{text.upper()}"}}'} for text in (texts[399], texts[0][:-1], texts[0])]
    assert matching(detection, *events) == [0, 2]


def test_one_keyword_that_is_too_long_for_a_pattern() -> None:
    text = "".join(chr(ord("a") + number * number % 23) for number in range(300_000))
    events = [{"event.original": f'{{"a": "{each}"}}'} for each in (text.upper(), text[:-1] + "!", "b")]
    assert matching(f"- '{text}'", *events) == [0]
