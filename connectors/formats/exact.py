"""The exact reader of JSON: one line at a time, nothing guessed, nothing lost.

Faster readers hand over every line they can't vouch for. All agree on these points:
the first of two equal keys wins; numbers become text without exponent and without trailing zeros; a nested object is
JSON text as `json.dumps` spaces it; `null` is a missing value and `""` is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from math import isinf
from typing import Final, TypeAlias

from connectors.once import DEPTH

SURROGATE: Final = re.compile("[\ud800-\udfff]")
# an open string ends with the text, so that no place is tried twice
STRING: Final = re.compile(r'(?s)"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)')

# Numbers are `Number` and objects `Object` from here, int, float and dict from orjson
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Record: TypeAlias = "dict[str, Value]"
Text: TypeAlias = "str | list[str | None] | None"
Pick: TypeAlias = "Callable[[Record, Collection[str] | None], dict[str, Value]]"  # the columns of a record, by name


class Number(str):
    """A JSON number, kept as canonical text."""

    __slots__ = ()


class Object(dict[str, Value]):
    """A JSON object; `pairs` still holds the keys that were written twice."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, Value]]) -> None:
        super().__init__()
        self.pairs = list(pairs)
        for key, value in self.pairs:
            self.setdefault(key, value)


def _real(text: str) -> Number:
    number = float(text)
    return Number(text if isinf(number) else plain(number))  # 1e400: more than a float holds, yet a number


def plain(number: float) -> str:
    """Write a number without exponent and without trailing zeros."""
    digits = f"{Decimal(repr(number)):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _integer(text: str) -> Number:
    return Number("0" if text == "-0" else text)


def _refuse(constant: str) -> Value:
    raise ValueError(f"{constant} is not a JSON number")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=Object, parse_float=_real, parse_int=_integer, parse_constant=_refuse
)


def _depth(line: str) -> int:
    deepest = depth = 0
    for character in STRING.sub("", line):
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


def loads(line: str) -> Object:
    """Read one JSON object.

    Raises:
        ValueError: with the reason why the line is none.
    """
    line = line.removeprefix("\ufeff").strip(" \t\r\n")
    if line.count("[") + line.count("{") > DEPTH and _depth(line) > DEPTH:
        raise ValueError(f"JSON nested deeper than {DEPTH}")
    try:
        value = DECODER.decode(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, Object):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the content is wrong, not a type in this program
    return value


def clean(text: str) -> str:
    r"""Replace lone surrogates (`"\ud800"`), which no encoder accepts."""
    return SURROGATE.sub("�", text)


def dumps(value: Value) -> str:
    """Write a value as JSON text."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, dict):
        pairs = value.pairs if isinstance(value, Object) else value.items()
        return "{" + ", ".join(f"{dumps(key)}: {dumps(item)}" for key, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return clean(json.dumps(value, ensure_ascii=False))


def text(value: Value | Text) -> Text:
    """Turn a value into the text of a cell; an array becomes a list of its elements' texts."""
    if isinstance(value, list):
        return [None if item is None else _scalar(item) for item in value]
    return None if value is None else _scalar(value)


def _scalar(value: Value) -> str:
    if isinstance(value, str):
        return clean(str(value))
    return dumps(value)
