r"""Where the specification and pySigma 2.0 part, the specification is followed: all of it is told here.

construct          pySigma 2.0.1                              here (specification 2.1)
utf16le            unknown modifier                           the same as `wide`
wide, utf16*       text only, so `é` is refused               bytes; base64 of any text
base64offset       a short value gives an empty variant,      refused, with the reason
                   which matches everything
windash            varies `-` and `/`, forgets `cased`        varies all five dashes it writes
expand             `\%a%b%` is `\`, placeholder a, `b%`       literal `%a`, placeholder b
                   200 values at most                         as many as the rule may weigh (`lower.py`)
base64, wide       forget placeholders                        refused
chains             one of `hour|minute` overrides the other,  refused, by kinds of values (`chain.py`)
                   `cased|fieldref` forgets `cased`
all, neq           not before `re`, `cidr`, `exists`          anywhere (`chain.py`)
all                of a single value too                      refused (`detection.py`)
null               in lists too                               refused (`detection.py`)
field: []          the same as `field: null`                  refused (`detection.py`)
numbers            2^53 + 1 is rounded                        exact (`detection.py`)
keys               `010` and `no` are 8 and False             refused (`detection.py`)
timeframe          let be                                     refused (`detection.py`)
conditions         pyparsing; no dash in a pattern            `condition.py`
taxonomy           any                                        `sigma` only, others refused (`parse.py`)

And where this engine parts from the specification: a null that stands in a record is a missing field to `exists`. The
specification has the field there, but an event frame holds one kind of nothing, as SQL does, and a second one would
cost every column of every batch for a modifier that no rule of SigmaHQ uses. An empty text or an empty list is there.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from itertools import product
from typing import Any

from sigma.modifiers import (
    SigmaBase64Modifier,
    SigmaBase64OffsetModifier,
    SigmaExpandModifier,
    SigmaModifier,
    SigmaUTF16BEModifier,
    SigmaUTF16Modifier,
    SigmaWideModifier,
    SigmaWindowsDashModifier,
    modifier_mapping,
)
from sigma.types import Placeholder, SigmaExpansion, SigmaRegularExpression, SigmaString, SpecialChars

from detectors.errors import RuleError
from detectors.sigma.predicates import MAX_WEIGHT, least_weight

DASHES = "-/\u2013\u2014\u2015"
MAX_DASHES = 3  # 5 variants each: a fourth would make 625 values of one
_BEGINS = re.compile(rf"\B[{DASHES}]\b")  # a dash before a word and not behind one
_DASH = "_windash"  # stands for such a dash while its spellings are made
_WRITTEN = re.compile(r"[*?\\]")  # may stand for no character of what is looked for
_PLACEHOLDER = re.compile(r"\\%|%([^%\\]+)%")


def _text(model: SigmaString, *parts: str | SpecialChars | Placeholder) -> SigmaString:
    """Return a text of these parts, case-sensitive if its model is; plain parts side by side become one."""
    value = type(model)()
    value.s = []
    for part in parts:
        if isinstance(part, str) and value.s and isinstance(value.s[-1], str):
            value.s[-1] += part
        elif part != "":
            value.s.append(part)
    return value


def _encode(value: SigmaString, encoding: str, prefix: bytes = b"") -> SigmaString:
    """Encode the plain parts; each byte becomes the character of that number, so nothing is lost."""
    _refuse_placeholders(value)
    parts = [part.encode(encoding).decode("latin-1") if isinstance(part, str) else part for part in value.s]
    return _text(value, prefix.decode("latin-1"), *parts)


class Wide(SigmaWideModifier):
    """UTF-16 little-endian bytes."""

    def modify(self, val: SigmaString) -> SigmaString:
        return _encode(val, "utf-16le")


class Utf16be(SigmaUTF16BEModifier):
    """UTF-16 big-endian bytes."""

    def modify(self, val: SigmaString) -> SigmaString:
        return _encode(val, "utf-16be")


class Utf16(SigmaUTF16Modifier):
    """UTF-16 little-endian bytes behind a byte order mark."""

    def modify(self, val: SigmaString) -> SigmaString:
        return _encode(val, "utf-16le", b"\xff\xfe")


def _refuse_placeholders(value: SigmaString) -> None:
    if value.contains_placeholder():
        raise RuleError("a placeholder can't be encoded", fix="write the values out, or encode them in the list")


def _bytes(value: SigmaString, applied: list[type]) -> bytes:
    _refuse_placeholders(value)
    if value.contains_special():
        raise RuleError("wildcards can't be encoded", fix="put `contains` and the like behind the encoding")
    encoded = any(issubclass(modifier, Wide | Utf16be | Utf16) for modifier in applied)
    return "".join(part for part in value.s if isinstance(part, str)).encode("latin-1" if encoded else "utf-8")


class Base64(SigmaBase64Modifier):
    """Base64 text of the bytes."""

    def modify(self, val: SigmaString) -> SigmaString:
        return _text(val, b64encode(_bytes(val, self.applied_modifiers)).decode())


class Base64Offset(SigmaBase64OffsetModifier):
    """The three ways the bytes may show within longer Base64 text."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        data = _bytes(val, self.applied_modifiers)
        variants = [
            b64encode(i * b" " + data)[self.start_offsets[i] : self.end_offsets[(len(data) + i) % 3]].decode()
            for i in range(3)
        ]
        if not all(variants):
            fix = "write at least two characters"
            raise RuleError("too short: one of its Base64 offsets is empty and matches everything", fix=fix)
        return SigmaExpansion([_text(val, variant) for variant in variants])


class Windash(SigmaWindowsDashModifier):
    """Every dash that begins a parameter, in its five spellings."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        marked = val.replace_with_placeholder(_BEGINS, _DASH)
        count = sum(isinstance(part, Placeholder) and part.name == _DASH for part in marked.s)
        if count > MAX_DASHES or len(DASHES) ** count * len(val) > MAX_WEIGHT:
            raise RuleError(
                f"{count} dashes to vary in {len(val)} characters, each in {len(DASHES)} spellings",
                fix=f"split it so that each value has at most {MAX_DASHES}",
            )

        choices = [DASHES if isinstance(part, Placeholder) and part.name == _DASH else (part,) for part in marked.s]
        return SigmaExpansion([_text(val, *spelt) for spelt in product(*choices)])


def least_spelt(text: str) -> int:
    """Say what looking for a text costs at least, once its dashes are varied."""
    dashes = min(len(_BEGINS.findall(text)), MAX_DASHES)
    spellings: int = len(DASHES) ** dashes
    return spellings * least_weight(len(_WRITTEN.sub("", text)))


class Expand(SigmaExpandModifier):
    r"""Placeholders `%name%`; `\%` is a plain percent sign."""

    def modify(self, val: SigmaString | SigmaRegularExpression) -> SigmaString | SigmaRegularExpression:
        target = val.regexp if isinstance(val, SigmaRegularExpression) else val
        target.s = [piece for part in target.s for piece in (_split(part) if isinstance(part, str) else (part,))]
        return val


def _split(text: str) -> Iterator[str | Placeholder]:
    plain, end = "", 0
    for found in _PLACEHOLDER.finditer(text):
        plain += text[end : found.start()] + ("" if found[1] else "%")
        end = found.end()
        if found[1]:
            if plain:
                yield plain
            plain = ""
            yield Placeholder(found[1])
    if plain + text[end:]:
        yield plain + text[end:]


MODIFIERS: dict[str, type[SigmaModifier[Any, Any]]] = {
    **modifier_mapping,
    "utf16le": Wide,
    "wide": Wide,
    "utf16be": Utf16be,
    "utf16": Utf16,
    "base64": Base64,
    "base64offset": Base64Offset,
    "windash": Windash,
    "expand": Expand,
}
