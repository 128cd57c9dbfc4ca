"""Where the parts of a YAML document stand, and what is refused before anything reads it."""

from __future__ import annotations

import pytest

from detectors.errors import RuleError
from detectors.sigma.document import Document, documents

TEXT = """\
title: A
detection:
  sel:
    'f|contains':
      - one
      - "two"
    no: {x: [y, z]}
    010: a
    ~: b
  condition: 'sel and
    not sel'
"""


def one(text: str = TEXT) -> Document:
    (found,) = documents(text, "r.yml")
    assert isinstance(found, Document), str(found)
    return found


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        (("title",), "1:1", "1:8"),
        (("detection",), "2:1", "3:3"),
        (("detection", "sel", "f|contains"), "4:5", "5:7"),
        (("detection", "sel", "f|contains", 1), "6:9", "6:9"),
        (("detection", "sel", False, "x", 1), "7:17", "7:17"),
        (("detection", "sel", 8), "8:5", "8:10"),
        (("detection", "sel", None), "9:5", "9:8"),
        (("detection", "nowhere", "x"), "2:1", "3:3"),  # the nearest part around it
        (("detection", "sel", "f|contains", 7), "4:5", "5:7"),
        ((), "1:1", "1:1"),
    ],
)
def test_places(path: tuple[object, ...], key: str, place: str) -> None:
    assert str(one().key(*path)) == f"r.yml:{key}"
    assert str(one().place(*path)) == f"r.yml:{place}"


def test_places_within_texts() -> None:
    assert str(one().inside(1, "title")) == "r.yml:1:9"
    assert str(one().inside(1, "detection", "sel", "f|contains", 1)) == "r.yml:6:11"  # behind the quote
    assert str(one().inside_key(2, "detection", "sel", "f|contains")) == "r.yml:4:8"
    assert str(one().inside(9, "detection", "condition")) == "r.yml:10:14"  # of several lines: where they begin


def test_words_as_they_are_written() -> None:
    assert one().word("detection", "sel", False) == "no"
    assert one().word("detection", "sel", 8) == "010"
    assert one().text("detection", "sel", 8) == "a"


def test_every_document_is_told_apart() -> None:
    found = list(documents("title: a\n---\n- b\n---\ntitle: c\ntitle: d\n---\ntitle: e\n", "r.yml"))
    assert [type(each) for each in found] == [Document, RuleError, RuleError, Document]
    assert [str(each.place) for each in found if isinstance(each, RuleError)] == ["r.yml:3:1", "r.yml:6:1"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "--- \n", "null", "5", "text"])
def test_a_text_without_a_map_holds_no_rule(text: str) -> None:
    assert all(isinstance(each, RuleError) for each in documents(text, "r.yml"))


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.getcwd []", "a: !!python/name:os.getcwd", "a: !include /etc/passwd"]
)
def test_only_plain_data_is_built(text: str) -> None:
    (found,) = documents(text, "r.yml")
    assert isinstance(found, RuleError)
    assert "could not determine a constructor" in found.message


@pytest.mark.parametrize("nested", [199, 3_000])
def test_depth_is_judged_however_long_the_text(nested: int) -> None:
    (found,) = documents(f"a: {'[' * nested}x{']' * nested}", "r.yml")
    assert isinstance(found, Document) == (nested < 200)


@pytest.mark.parametrize("number", ["9" * 5_000, "0x" + "f" * 5_000, "1" + ":59" * 5_000, "0b" + "1" * 20_000])
def test_numbers_nobody_can_write_are_refused(number: str) -> None:
    (found,) = documents(f"a:\n  - {number}\n", "r.yml")
    assert str(found) == f"r.yml:2:5: a number of {len(number)} digits; put it in quotes"
