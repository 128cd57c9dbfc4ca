"""pySigma's values to our predicates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain as flatten
from itertools import product
from math import prod

from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaStringPartType,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from detectors.errors import RuleError
from detectors.sigma import glob, regex
from detectors.sigma.fold import fold
from detectors.sigma.predicates import MAX_WEIGHT, Node, Op, Predicate, disjunction
from detectors.sigma.valuelist import Lists, ValueList, value_list

_Parts = list[SigmaStringPartType]

_COMPARE: dict[CompareOperators, Op] = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
}
_PARTS: dict[str, Op] = {
    "MINUTE": "minute",
    "HOUR": "hour",
    "DAY": "day",
    "WEEK": "week",
    "MONTH": "month",
    "YEAR": "year",
}
_SPECIAL = frozenset("*?\\")  # what makes of a text more than itself
_WILDCARDS = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}


def value(field: str | None, item: SigmaType, lists: Lists, missing: set[str]) -> Node:
    """Translate one value of a field (or keyword, where the field is None).

    Names of placeholders without a list are added to `missing`.
    """
    if isinstance(item, SigmaExpansion):
        return disjunction([value(field, inner, lists, missing) for inner in item.values])
    if isinstance(item, SigmaString):
        cased = isinstance(item, SigmaCasedString)
        if field is not None and len(item.s) == 1 and isinstance(item.s[0], Placeholder):
            return _listed_values(field, _listed(item.s[0], lists, missing), cased=cased)
        return disjunction([_string(field, parts, cased=cased) for parts in _filled(item, lists, missing)])
    if isinstance(item, SigmaRegularExpression):
        return _regex(field, item, lists, missing)
    return _scalar(field, item)


def _listed_values(field: str, listed: ValueList, *, cased: bool) -> Node:
    """Return what it means that a field is one of the values of a list, which may be long."""
    plain = [text for text in listed.texts if _SPECIAL.isdisjoint(text)]
    found: list[Node] = []
    if plain:
        found.append(Predicate(field, "equals", tuple(dict.fromkeys(plain if cased else map(fold, plain))), cased))
    found += [
        _string(field, SigmaString(text).s, cased=cased) for text in listed.texts if not _SPECIAL.isdisjoint(text)
    ]
    if listed.networks:
        found.append(Predicate(field, "cidr", listed.networks))
    if listed.patterns:
        found.append(Predicate(field, "regex", listed.patterns, cased=True))
    return disjunction(found)


def _string(field: str | None, parts: _Parts, *, cased: bool) -> Predicate:
    op, text = _shape(_pattern(parts), keyword=field is None)
    if op == "present":
        return Predicate(field, op)
    text = text if cased else fold(text)
    if op == "like":
        regex.checked(glob.regex(text), shown=text)
    return Predicate(field, op, (text,), cased)


def _pattern(parts: _Parts) -> list[str]:
    """Return the parts of a string as pattern text, each run of wildcards with its `?` first and one `*` at most.

    `*?*?` means at least two characters, and so does `??*`, which costs a search nothing.
    """
    found: list[str] = []
    for part in parts:
        text = _WILDCARDS[part] if isinstance(part, SpecialChars) else glob.quote(str(part))
        if text == glob.ONE and found and found[-1] == glob.ANY:
            found.insert(-1, text)
        elif not (text == glob.ANY and found and found[-1] == glob.ANY):
            found.append(text)
    return found


def _shape(parts: list[str], *, keyword: bool) -> tuple[Op, str]:
    """Return the cheapest operation that means the pattern, and its text.

    A keyword is searched in the whole event, so it is a part of the text however it is written.
    """
    if keyword:
        while parts and parts[0] == "*":
            parts = parts[1:]
        while parts and parts[-1] == "*":
            parts = parts[:-1]
        parts = ["*", *parts, "*"] if parts else ["*"]
    if parts == ["*"]:
        return "present", ""
    head, tail = parts[:1] == ["*"], parts[1:] != [] and parts[-1] == "*"
    middle = parts[head : len(parts) - tail]
    if any(part in ("*", "?") for part in middle):
        return "like", "".join(parts)
    plain = "".join(text for _, text in glob.parts("".join(middle)))
    shapes: dict[tuple[bool, bool], Op] = {
        (False, False): "equals",
        (True, True): "contains",
        (True, False): "endswith",
        (False, True): "startswith",
    }
    return shapes[head, tail], plain


def _regex(field: str | None, item: SigmaRegularExpression, lists: Lists, missing: set[str]) -> Predicate:
    flags = "".join(sorted(SigmaRegularExpression.sigma_to_re_flag[flag] for flag in item.flags))
    text = "".join(_source(part, lists, missing) for part in item.regexp.s)
    return Predicate(field, "regex", (regex.checked(f"(?{flags})" * bool(flags) + text),), cased=True)


def _source(part: SigmaStringPartType, lists: Lists, missing: set[str]) -> str:
    """Return a part of a regular expression as text; values of a list are plain text there."""
    if isinstance(part, Placeholder):
        return f"(?:{'|'.join(map(glob.escape, _texts(part, lists, missing)))})"
    return _WILDCARDS[part] if isinstance(part, SpecialChars) else part


def _filled(item: SigmaString, lists: Lists, missing: set[str]) -> list[_Parts]:
    """Fill placeholders from their lists; several of them in one text make every combination."""
    if not item.contains_placeholder():
        return [item.s]
    choices: list[list[_Parts]] = [
        [SigmaString(text).s for text in _texts(part, lists, missing)] if isinstance(part, Placeholder) else [[part]]
        for part in item.s
    ]
    count = prod(map(len, choices))
    if count * len(item) > MAX_WEIGHT:
        raise RuleError(f"its placeholders make {count} values", fix="shorten the lists, or write fewer placeholders")
    return [list(flatten.from_iterable(parts)) for parts in product(*choices)]


def _texts(placeholder: Placeholder, lists: Lists, missing: set[str]) -> Sequence[str]:
    """Return the values of a list that stands within a text: texts only."""
    listed = _listed(placeholder, lists, missing)
    if listed.networks or listed.patterns:
        kind = "networks" if listed.networks else "regular expressions"
        message = f"the list `{placeholder.name:.80}` holds {kind}, which can't be a part of a text"
        raise RuleError(message, fix=f"write '%{placeholder.name:.80}%' alone, with no other modifier")
    return listed.texts


def _listed(placeholder: Placeholder, lists: Lists, missing: set[str]) -> ValueList:
    """Return the values of a list; without one the placeholder stays as text and the rule waits for it."""
    name = placeholder.name
    if name not in lists:
        missing.add(name)
        return ValueList((f"%{name}%",))
    if not (listed := value_list(lists[name])):
        raise RuleError(f"the list `{name:.80}` is empty", fix="give it at least one value")
    return listed


def _scalar(field: str | None, item: SigmaType) -> Predicate:
    match item:
        case SigmaTimestampPart():
            return Predicate(field, _PARTS[item.timestamp_part.name], ("eq", str(item.number)))
        case SigmaCompareExpression():
            return _compare(field, item)
        case SigmaFieldReference():
            return _reference(field, item)
        case _:
            op, values = _simple(item)
            return Predicate(field, op if field or op != "number" else "contains", values)


def _simple(item: SigmaType) -> tuple[Op, tuple[str, ...]]:
    match item:
        case SigmaNumber():
            return "number", (str(item.number),)
        case SigmaBool():
            return "bool", ("true" if item.boolean else "false",)
        case SigmaNull():
            return "null", ()
        case SigmaExists():
            return ("exists" if item.exists else "missing"), ()
        case SigmaCIDRExpression():
            return "cidr", (str(item.network),)
        case _:
            raise RuleError(f"a value can't be {type(item).__name__}")


def _compare(field: str | None, item: SigmaCompareExpression) -> Predicate:
    if isinstance(item.number, SigmaTimestampPart):
        part = _PARTS[item.number.timestamp_part.name]
        return Predicate(field, part, (_COMPARE[item.op], str(item.number.number)))
    return Predicate(field, _COMPARE[item.op], (str(item.number.number),))


def _reference(field: str | None, item: SigmaFieldReference) -> Predicate:
    ops: dict[tuple[bool, bool], Op] = {
        (False, False): "ref_equals",
        (True, False): "ref_startswith",
        (False, True): "ref_endswith",
        (True, True): "ref_contains",
    }
    return Predicate(field, ops[item.starts_with, item.ends_with], (item.field,))
