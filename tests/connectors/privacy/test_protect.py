"""Personal values become tokens wherever they stand in their line, and nothing else changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.definition import Definition
from connectors.definitions import load_definition
from connectors.privacy.keys import Key, Keys, fresh
from connectors.privacy.protect import Protector
from connectors.privacy.tokens import TOKEN, token
from detectors.schema import DEAD

KEY = Key("k1", bytes(range(32)), "2026-01-01")
OTHER = Key("k2", bytes(32), "2026-06-01")
HOTLINE = """name: calls
title: Calls
format: {format}
columns: [time, phone, name, note]
personal: [phone, name]
"""


@pytest.fixture(scope="module")
def json_(tmp_path_factory: pytest.TempPathFactory) -> Definition:
    path: Path = tmp_path_factory.mktemp("sources") / "calls.yml"
    path.write_text(HOTLINE.format(format="ndjson"))
    return load_definition(path)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Definition:
    path: Path = tmp_path_factory.mktemp("sources") / "calls.yml"
    path.write_text(HOTLINE.format(format="keyvalue"))
    return load_definition(path)


def protected(definition: Definition, *lines: str, key: Key = KEY) -> tuple[list[str], dict[str, str]]:
    kept: dict[str, str] = {}
    return Protector(Keys((key,), b""), kept.update).lines(lines, definition).to_list(), kept


def test_equal_values_get_equal_tokens_everywhere_in_the_line(json_: Definition, pairs: Definition) -> None:
    made = token("0912345678", KEY)
    (line,), kept = protected(json_, '{"phone":"0912345678","note":"call 0912345678, not 10912345678"}')
    assert line == f'{{"phone":"{made}","note":"call {made}, not 10912345678"}}'
    (other,), _ = protected(pairs, 'time=08:15 phone=0912345678 note="0912345678"')
    assert other == f'time=08:15 phone={made} note="{made}"'
    assert kept == {made: "0912345678"}


def test_another_key_makes_other_tokens_and_names_itself(json_: Definition) -> None:
    line = '{"phone":"0912345678"}'
    (one,), _ = protected(json_, line)
    (two,), _ = protected(json_, line, key=OTHER)
    assert one != two
    assert "pd_k2_" in two


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"phone":912}', '{{"phone":"{912}"}}'),  # a number becomes a text
        ('{"n":[912,1],"phone":912}', '{{"n":[912,1],"phone":"{912}"}}'),  # a short one only where it is the phone
        ('{"time":"2026-01-05","phone":"05"}', '{{"time":"2026-01-05","phone":"{05}"}}'),
        ('{"name":"Nguy\\u1ec5n"}', '{{"name":"{Nguyễn}"}}'),
        ('{"name":"Nguy\\u1EC5n"}', '{{"name":"{Nguyễn}"}}'),
        ('{"name":"a \\"b\\" c"}', '{{"name":"{a "b" c}"}}'),
        ('{"phone":["0912345678","0912345679"]}', '{{"phone":["{0912345678}","{0912345679}"]}}'),
        ('{"phone":"","name":null}', '{{"phone":"","name":null}}'),
    ],
)
def test_values_as_json_writes_them(json_: Definition, line: str, expected: str) -> None:
    (found,), kept = protected(json_, line)
    for made, value in kept.items():
        expected = expected.replace(f"{{{value}}}", made)
    assert found == expected.replace("{{", "{").replace("}}", "}")
    assert orjson.loads(found)


def test_what_collectors_put_before_a_line_hides_nothing(json_: Definition) -> None:
    head = "<134>Nov 20 08:15:00 app calls: "
    (found,), kept = protected(json_, head + '{"name":"Nguyễn Văn A","time":"t"}')
    assert list(kept.values()) == ["Nguyễn Văn A"]
    assert found == f'{head}{{"name":"{token("Nguyễn Văn A", KEY)}","time":"t"}}'


def test_a_token_stays_one(json_: Definition) -> None:
    (once,), _ = protected(json_, '{"phone":"0912345678"}')
    (twice,), kept = protected(json_, once)
    assert twice == once
    assert kept == {}


def test_a_value_that_is_written_in_an_odd_way_takes_the_line_along(json_: Definition) -> None:
    line = '{"phone":"\\u0030912345678","note":"x"}'
    (found,), kept = protected(json_, line)
    assert TOKEN.fullmatch(found)
    assert kept[found] == line


def test_a_line_that_cannot_be_read_keeps_no_numbers_of_people(json_: Definition) -> None:
    (found,), kept = protected(json_, "broken {0912345678 lan@example.org 064199001234 v1.2 17:45")
    assert sorted(kept.values()) == ["064199001234", "0912345678", "lan@example.org"]
    assert "09123" not in found
    assert found.endswith("v1.2 17:45")


def test_dead_letters_of_marked_sources_keep_none_either(json_: Definition) -> None:
    rows = [{"event.original": "x 0912345678", "soc.source": name} for name in ("calls", "other")]
    dead = pl.DataFrame(rows, schema=DEAD)
    letters = Protector(Keys((KEY,), b""), lambda _: None).letters(dead, {"calls": json_})
    assert letters["event.original"].to_list() == [f"x {token('0912345678', KEY)}", "x 0912345678"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_no_value_survives_and_every_line_stays_json(json_: Definition, values: list[str]) -> None:
    lines = [orjson.dumps({"time": "t", "name": value, "note": "n"}).decode() for value in values]
    found, kept = protected(json_, *lines)
    for line, value in zip(found, values, strict=True):
        if not value.strip() or value == "-":
            continue
        assert TOKEN.fullmatch(line) or TOKEN.fullmatch(orjson.loads(line)["name"])
        assert kept.get(token(value, KEY)) is not None or TOKEN.fullmatch(line)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=50), st.text(max_size=50))
def test_tokens_are_equal_exactly_where_values_are(one: str, two: str) -> None:
    import unicodedata

    same = unicodedata.normalize("NFC", one).strip() == unicodedata.normalize("NFC", two).strip()
    assert (token(one, KEY) == token(two, KEY)) is same
    assert TOKEN.fullmatch(token(one, KEY))


def test_keys_are_made_at_random() -> None:
    assert fresh("k1", date(2026, 1, 1)).secret != fresh("k1", date(2026, 1, 1)).secret
