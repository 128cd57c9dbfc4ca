"""Every question of a kind, asked of every value of that kind: what chance would seldom bring together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

import pytest

from detectors.sigma.engine import Engine
from tests.property import values
from tests.property.asking import detected, expected_of, rule, tiny_limits
from tests.property.detections import LISTS
from tests.property.events import Batch

Cells = list[Any]  # texts, lists of texts, or None
Questions = list[tuple[str, Any]]  # modifiers and a value

SHAPES = ["", "|contains", "|startswith", "|endswith"]
COMPARE = ["|gt", "|gte", "|lt", "|lte"]
PARTS = ["|minute", "|hour", "|day", "|week", "|month", "|year"]
ENCODED = ["base64", "base64offset|contains", "wide", "wide|base64", "utf16be|base64offset|contains", "utf16|base64"]
NUMBERS = [0, 1, -1, 5, 0.1, 5.5, -0.0, 1e3, 20240506, 2**53 - 1, 2**53, 2**53 + 1, 10**16, 1e22, 1e308, 10**300]
LETTERS = [*values.LETTERS, *values.ODD_LETTERS, "SS", "ss", "fi", "i\u0307", "K\u0301"]


def _each(chains: Iterable[str], asked: Iterable[Any]) -> Questions:
    return [*product(chains, asked)]


KINDS: dict[str, tuple[Questions, Cells]] = {
    "numbers": (
        _each(["", *COMPARE], NUMBERS),
        [*values.NUMBERS, *values.LARGE, "0.1", "1e22", "1" + "0" * 300, "0" * 5000 + "5", "9" * 5000, ["x", "5"]],
    ),
    "addresses": (
        _each(["|cidr"], ["10.0.0.0/8", "10.0.0.1", "::1/128", "::/0", "0.0.0.0/0", "2001:db8::/32", "fe80::/10"]),
        [*values.ADDRESSES, *values.WORDS, ["x", "10.0.0.1"], []],
    ),
    "times": (
        _each([part + compare for part in PARTS for compare in ("", *COMPARE)], [4, 19, 2024]),
        [*values.TIMES, "2024-12-30", "1714964645678901", "171496464567", "", "x", ["x", "2020-12-31"]],
    ),
    "dashes": (
        _each([shape + "|windash" for shape in SHAPES] + ["|windash|endswith", "|cased|windash"], values.DASHED),
        [
            dash + text
            for dash in ("-", "/", "\u2013", "\u2014", "\u2015", "a-", "--")
            for text in ("x", "a /b", "X", "")
        ]
        + values.DASHED,
    ),
    "encodings": (
        _each([f"|{names}" for names in ENCODED] + [f"|{names}|cased" for names in ENCODED], values.PLAIN),
        values.ENCODED,
    ),
    "letters": (
        _each(["", "|cased", "|contains", "|contains|cased"], LETTERS),
        [*LETTERS, *map("x{}y".format, LETTERS)],
    ),
    "wildcards": (
        _each(SHAPES, ["*", "?", "**", "*?", "?*", "a?", "*a*b", "\\*", "\\?", "\\\\*", "\\", "a\\", "\\\\\\*", ""]),
        [
            "",
            "a",
            "ab",
            "b",
            "*",
            "?",
            "\\",
            "\\*",
            "\\a",
            "a\\",
            "a\n",
            "\n",
            "aXb",
            "ac\nb",
            "😀",
            "\\\\*",
            "\\?",
            None,
        ],
    ),
    "presence": (
        [
            ("", None),
            ("|exists", True),
            ("|exists", False),
            ("", "*"),
            ("", ""),
            ("", True),
            ("", False),
            ("|contains", ""),
        ],
        [None, "", " ", "*", [], [None], [""], [None, ""], ["a", None], "true", "TRUE", "0", ["false"], "null"],
    ),
    "expressions": (
        _each(
            ["|re", "|re|i", "|re|m", "|re|s", "|re|i|s|m"], [*("^a", "a$", "a.b", r"\Ba", r"\bk", r"\d", r"\w$", "k")]
        ),
        ["a", "A", "b\na", "a\n", "a\nb", "ba", "k", "\u212a", "K", "5", "٥", "đ", "", "\u017f", ["x", "a"]],
    ),
}


SIGNS = ("sel", "not sel")


def asked(kind: str) -> list[dict[str, Any]]:
    """Return detections that ask the questions of a kind, and their contraries."""
    return [{"sel": {f"a{chain}": value}, "condition": sign} for chain, value in KINDS[kind][0] for sign in SIGNS]


def held(cells: Cells) -> Batch:
    """Return events that hold these values."""
    return Batch(tuple({"a": cell} for cell in cells), "compact", ("a",))


@pytest.mark.parametrize("limits", [nullcontext, tiny_limits])
@pytest.mark.parametrize("kind", KINDS)
def test_every_question_is_answered_as_the_plain_evaluator_does(
    kind: str, limits: Callable[[], AbstractContextManager[None]]
) -> None:
    written, cells = asked(kind), KINDS[kind][1]
    made = [rule(each) for each in written]
    for chosen in (cells, [cell for cell in cells if not isinstance(cell, list)]):
        batch = held(chosen)
        cases = batch.cases(LISTS)
        expected = expected_of(written, cases)
        with limits():
            engine, half = Engine(made), len(chosen) // 2
            before = detected(engine, batch.dialect, batch.frame(range(half)))
            found = detected(engine, batch.dialect, batch.frame())  # some values are known now, others new
        assert before == {(number, row) for number, row in expected if row < half}
        differing = sorted(expected ^ found)
        assert [(written[number]["sel"], chosen[row], (number, row) in found) for number, row in differing] == []
