"""pySigma's values to our predicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from detectors.errors import RuleError
from detectors.sigma import glob, regex
from detectors.sigma.fold import fold
from detectors.sigma.predicates import Node, Op, Predicate, disjunction

Lists = Mapping[str, Sequence[str]]  # placeholder → its values, in which wildcards mean what they mean in rules

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
_WILDCARDS = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
_KEYWORDS = (SigmaString, SigmaNumber, SigmaRegularExpression, SigmaExpansion)


def value(field: str | None, item: SigmaType, lists: Lists, missing: set[str]) -> Node:
    """Translate one value of a field (or keyword, where the field is None).

    Names of placeholders without a list are added to `missing`.
    """
    if field is None and (not isinstance(item, _KEYWORDS) or isinstance(item, SigmaTimestampPart)):
        raise RuleError(f"a keyword can't be {_KINDS.get(type(item), 'of this kind')}", fix="name a field for it")
    if isinstance(item, SigmaExpansion):
        return disjunction([value(field, inner, lists, missing) for inner in item.values])
    if isinstance(item, SigmaString):
        cased = isinstance(item, SigmaCasedString)
        return disjunction([_string(field, filled, cased=cased) for filled in _filled(item, lists, missing)])
    if isinstance(item, SigmaRegularExpression):
        return _regex(field, item, lists, missing)
    return _scalar(field, item)


def _string(field: str | None, item: SigmaString, *, cased: bool) -> Predicate:
    op, text = _shape(_collapsed(item), keyword=field is None)
    if op == "present":
        return Predicate(field, op)
    text = text if cased else fold(text)
    if op == "like":
        regex.checked(glob.regex(text), shown=str(item))
    return Predicate(field, op, (text,), cased)


def _collapsed(item: SigmaString) -> list[str]:
    """Return the parts of a string as pattern text, wildcards in a row as one."""
    parts: list[str] = []
    for part in item.s:
        text = _WILDCARDS[part] if isinstance(part, SpecialChars) else glob.quote(str(part))
        if not (text == "*" and parts and parts[-1] == "*"):
            parts.append(text)
    return parts


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


def _regex(field: str | None, item: SigmaRegularExpression, lists: Lists, missing: set[str]) -> Node:
    flags = "".join(sorted(SigmaRegularExpression.sigma_to_re_flag[flag] for flag in item.flags))
    prefix = f"(?{flags})" if flags else ""
    sources = _filled(item.regexp, lists, missing, quoted=True)
    patterns = [regex.checked(prefix + source.to_plain_regex()) for source in sources]
    return disjunction([Predicate(field, "regex", (pattern,), cased=True) for pattern in patterns])


def _filled(item: SigmaString, lists: Lists, missing: set[str], *, quoted: bool = False) -> list[SigmaString]:
    """Fill placeholders from their lists; without one the placeholder stays as text and the rule waits for it.

    Within a regular expression (`quoted`) a list's values are plain text.
    """

    def values(placeholder: Placeholder) -> Iterator[str | SigmaString]:
        if placeholder.name not in lists:
            missing.add(placeholder.name)
        for each in lists.get(placeholder.name, (f"%{placeholder.name}%",)):
            yield glob.escape(each) if quoted else SigmaString(each)

    filled = item.replace_placeholders(values)
    if not filled:
        raise RuleError("its placeholders expand to nothing", fix="give the value list at least one value")
    return filled


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


_KINDS: dict[type[SigmaType], str] = {
    SigmaBool: "a boolean",
    SigmaNull: "null",
    SigmaCIDRExpression: "a network (cidr)",
    SigmaCompareExpression: "a comparison",
    SigmaFieldReference: "a field reference",
    SigmaExists: "an existence test",
    SigmaTimestampPart: "a part of a time",
}
