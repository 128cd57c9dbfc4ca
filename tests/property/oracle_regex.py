"""Texts that a regular expression matches, as Python's own reader takes it apart."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from re import _parser  # type: ignore[attr-defined]  # there is no public one
from typing import Any, Final

MORE: Final = 3  # times beyond the least that something is repeated
CLASSES: Final = {"DIGIT": "7", "NOT_DIGIT": "d", "SPACE": " ", "NOT_SPACE": "s", "WORD": "w", "NOT_WORD": "-"}


def example(pattern: str, chance: Random) -> str:
    """Return a text that the pattern matches, unless it looks around or back."""
    return _text(_parser.parse(pattern), chance)


def _text(parsed: Any, chance: Random) -> str:
    return "".join(PARTS[str(op)](argument, chance) for op, argument in parsed)


def _member(members: Any, chance: Random) -> str:
    """Return a character of a class; of `[^…]` one that hardly any class excludes."""
    return "~" if str(members[0][0]) == "NEGATE" else _text([chance.choice(members)], chance)


def _repeated(argument: Any, chance: Random) -> str:
    least, most, inner = argument
    return "".join(_text(inner, chance) for _ in range(chance.randint(least, min(most, least + MORE))))


PARTS: Final[dict[str, Callable[[Any, Random], str]]] = {
    "ANY": lambda _, chance: chance.choice("az09 ._"),
    "AT": lambda _, __: "",
    "BRANCH": lambda argument, chance: _text(chance.choice(argument[1]), chance),
    "CATEGORY": lambda argument, _: CLASSES[str(argument).removeprefix("CATEGORY_")],
    "IN": _member,
    "LITERAL": lambda argument, _: chr(argument),
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "NOT_LITERAL": lambda argument, _: chr(argument + 1),
    "RANGE": lambda argument, chance: chr(chance.randint(*argument)),
    "SUBPATTERN": lambda argument, chance: _text(argument[-1], chance),
}
