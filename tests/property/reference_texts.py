"""Texts for the plain evaluator: wildcards, modifiers of texts, and regular expressions."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ANY, ONE = object(), object()  # wildcards
_WILDCARDS = {ANY: ".*", ONE: "."}
Pattern = list[Any]  # of characters and wildcards


@dataclass(frozen=True, eq=False)
class Lists:
    """The values of each placeholder. Told apart by identity, so that what is made with them can be remembered."""

    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Wildcards:
    """A pattern that a text fits as a whole."""

    expression: re.Pattern[str]
    cased: bool
    anything: bool  # nothing but `*`: asks only whether there is a value

    def fits(self, text: str) -> bool:
        return self.expression.fullmatch(text if self.cased else _folded(text)) is not None


def _wildcards(pattern: Pattern, *, cased: bool) -> Wildcards:
    letters = [_fold(each) if isinstance(each, str) and not cased else each for each in pattern]
    source = "".join(re.escape(each) if isinstance(each, str) else _WILDCARDS[each] for each in letters)
    return Wildcards(re.compile(source, re.DOTALL), cased, anything=set(pattern) == {ANY})


@lru_cache(10_000)
def wildcards(value: str, modifiers: tuple[str, ...], lists: Lists, *, part: bool) -> list[Wildcards]:
    """Return the patterns, any of which is meant, of a value; `part`: of a part of a text, as keywords are."""
    patterns = _patterns(value, modifiers, lists)
    if part:
        patterns = [[ANY, *pattern, ANY] for pattern in patterns]
    return [_wildcards(pattern, cased="cased" in modifiers) for pattern in patterns]


@lru_cache(10_000)
def _folded(text: str) -> str:
    return "".join(map(_fold, text))


def _fold(character: str) -> str:
    """Choice: any case of Unicode, character by character."""
    return {"İ": "i", "ς": "σ"}.get(character, character.lower())


def _parse(value: str) -> Pattern:
    """Read wildcards; a backslash makes a wildcard or a backslash behind it plain, and is itself elsewhere."""
    pattern: Pattern = []
    at = 0
    while at < len(value):
        character, following = value[at], value[at + 1 : at + 2]
        if character == "\\" and following and following in "*?\\":
            pattern.append(following)
            at += 1
        else:
            pattern.append({"*": ANY, "?": ONE}.get(character, character))
        at += 1
    return pattern


_ENCODINGS = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16-le"}


def _patterns(value: str, modifiers: Sequence[str], lists: Lists) -> list[Pattern]:
    """Apply modifiers from left to right; some make several patterns of one."""
    found = [_parse(value)]
    encoded = False  # each character is a byte
    for name in modifiers:
        found = [after for pattern in found for after in _modified(pattern, name, lists, encoded=encoded)]
        encoded |= name in _ENCODINGS
    return found


def _modified(pattern: Pattern, name: str, lists: Lists, *, encoded: bool) -> list[Pattern]:  # noqa: PLR0911
    match name:
        case "contains":
            return [[ANY, *pattern, ANY]]
        case "startswith":
            return [[*pattern, ANY]]
        case "endswith":
            return [[ANY, *pattern]]
        case "windash":
            return _dashes(pattern)
        case "expand":
            return _expanded(pattern, lists)
        case "base64" | "base64offset":
            data = "".join(pattern).encode("latin-1" if encoded else "utf-8")
            if name == "base64":
                return [list(base64.b64encode(data).decode())]
            return [list(_offset(data, shift)) for shift in range(3)]
        case "wide" | "utf16le" | "utf16be" | "utf16":
            coded = [_encoded(each, _ENCODINGS[name]) for each in pattern]
            return [["\xff", "\xfe"] * (name == "utf16") + [byte for each in coded for byte in each]]
        case _:
            return [pattern]


def _encoded(character: object, encoding: str) -> list[object]:
    return list(character.encode(encoding).decode("latin-1")) if isinstance(character, str) else [character]


def _expanded(pattern: Pattern, lists: Lists) -> list[Pattern]:
    r"""Fill each `%name%` with each value of its list; `\%` is a plain percent sign."""
    text = "".join(each if isinstance(each, str) else "\0" for each in pattern)
    found = re.search(r"\\%|%([^%\\\0]+)%", text)
    if not found:
        return [pattern]
    before, behind = pattern[: found.start()], _expanded(pattern[found.end() :], lists)
    values = [_parse(each) for each in lists.values[found[1]]] if found[1] else [["%"]]
    return [[*before, *value, *rest] for value in values for rest in behind]


def _offset(data: bytes, shift: int) -> str:
    """Return the characters that only depend on the data, wherever it begins in the encoded bytes."""
    bits = "".join(f"{byte:08b}" for byte in data)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bits = bits[-8 * shift % 6 :]  # the first whole character begins here
    return "".join(alphabet[int(bits[at : at + 6], 2)] for at in range(0, len(bits) - 5, 6))


def _dashes(pattern: Pattern) -> list[Pattern]:
    """Vary each dash that begins a parameter: no word before it, a word behind it."""
    dashes = "-/\u2013\u2014\u2015"
    variants: list[Pattern] = [[]]
    for at, character in enumerate(pattern):
        before = pattern[at - 1] if at else " "
        behind = pattern[at + 1] if at + 1 < len(pattern) else " "
        starts = isinstance(character, str) and character in dashes and not _word(before) and _word(behind)
        choices = dashes if starts else [character]
        variants = [[*known, choice] for known in variants for choice in choices]
    return variants


def _word(character: object) -> bool:
    return isinstance(character, str) and re.match(r"\w", character) is not None


_WORD = "(?-i:[0-9A-Za-z_])"
_ANY_CASE = {
    r"\w": "(?-i:[0-9A-Za-z_\u017f\u212a])",
    r"\W": "(?-i:[^0-9A-Za-z_\u017f\u212a])",
}  # choice: cases of s and k
_CLASSES = {  # of ASCII characters; `(?a)` would take the cases of all other letters away, too
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[^\t\n\f\r ]",
    r"\w": _WORD,
    r"\W": "(?-i:[^0-9A-Za-z_])",
    r"\b": f"(?:(?<!{_WORD})(?={_WORD})|(?<={_WORD})(?!{_WORD}))",
    r"\B": f"(?:(?<!{_WORD})(?!{_WORD})|(?<={_WORD})(?={_WORD}))",
}


_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_FLAGS |= {"ignorecase": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL}


@lru_cache(10_000)
def expressions(source: str, modifiers: tuple[str, ...], lists: Lists) -> list[re.Pattern[str]]:
    """Return the regular expressions, any of which is to be found in a text."""
    flags = re.NOFLAG
    for name in modifiers:
        flags |= _FLAGS.get(name, re.NOFLAG)
    end = "$" if re.MULTILINE in flags else r"\Z"  # Python's own `$` also stands before a last line feed
    tokens = {**_CLASSES, **(_ANY_CASE if re.IGNORECASE in flags else {}), "$": end}
    sources = _filled(source, lists) if "expand" in modifiers else [source]
    return [re.compile(re.sub(r"\\.|\$", lambda token: tokens.get(token[0], token[0]), own), flags) for own in sources]


def _filled(source: str, lists: Lists) -> list[str]:
    """Fill placeholders in a regular expression: a list's values are plain text there."""
    found = re.search(r"%(\w+)%", source)
    if not found:
        return [source]
    return [
        source[: found.start()] + re.escape(value) + rest
        for value in lists.values[found[1]]
        for rest in _filled(source[found.end() :], lists)
    ]


def refers(mine: str, theirs: str, modifiers: tuple[str, ...]) -> bool:
    """Say whether a text is (or contains, begins or ends with) another; wildcards in either are plain."""
    pattern: Pattern = list(theirs)
    for name in modifiers:
        (pattern,) = _modified(pattern, name, Lists({}), encoded=False)
    return _wildcards(pattern, cased=False).fits(mine)
