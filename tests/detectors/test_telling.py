"""What findings say: templates with values from logs, which are hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.meta import Meta
from detectors.telling import LONGEST, NAMED, NOTHING, broken, fill, of_group, tell

SEEN: dict[str, list[object]] = {
    "user.name": ["lan"],
    "object_id": [f"H{number}" for number in range(9)],
    "roles": [["a", "b"]],
}


def values(name: str) -> list[object]:
    return SEEN.get(name, [])


def test_a_template_is_filled_with_what_was_seen() -> None:
    assert fill("{user.name} opened {object_id} as {roles}", values) == "lan opened H0, H1, H2 (+6) as a, b"
    assert fill("{user.name} from {source.ip}", values) == f"lan from {NOTHING}"


def test_values_are_put_in_once_cut_and_printable() -> None:
    hostile = ["{user.name}", "\x1b[31m\r\n\u202eevil", "x" * 10_000]
    filled = fill("{a}", lambda _: hostile)
    assert filled.startswith("{user.name}, ")
    assert filled.isprintable()
    assert len(filled) < LONGEST * NAMED


@given(st.lists(st.text(), max_size=6))
def test_no_value_changes_the_words_around_it(texts: list[str]) -> None:
    filled = fill("before {a} after", lambda _: texts)
    assert filled.startswith("before ")
    assert filled.endswith(" after")
    assert filled.isprintable()


def test_without_a_template_title_and_group_are_told() -> None:
    told = tell(Meta("r", "Odd thing", title_vi="Điều lạ"), "host.name=web01", values)
    assert (told.message, told.message_vi) == ("Odd thing (host.name=web01)", "Điều lạ (host.name=web01)")
    plain = tell(Meta("r", "Odd thing"), "host.name=web01", values)
    assert (plain.message_vi, plain.title_vi) == (None, None)


def test_each_language_has_its_template() -> None:
    meta = Meta("r", "Odd thing", message="{user.name} was seen", message_vi="Thấy {user.name}", title_vi="Điều lạ")
    told = tell(meta, "g", values)
    assert (told.message, told.message_vi, told.title_vi) == ("lan was seen", "Thấy lan", "Điều lạ")


@pytest.mark.parametrize("template", ["{", "}", "{}", "{ }", "{{user.name}}", "{user.name"])
def test_braces_that_name_nothing_are_found(template: str) -> None:
    assert broken(template)


def test_a_group_tells_its_fields() -> None:
    group = "source.ip=192.0.2.7 | user.name=lan"
    assert (of_group(group, "source.ip"), of_group(group, "user.name")) == (["192.0.2.7"], ["lan"])
    assert of_group(group, "name") == []
