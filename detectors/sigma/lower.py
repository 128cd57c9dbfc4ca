"""pySigma's values and conditions to our predicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
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
from detectors.sigma import glob
from detectors.sigma.predicates import Node, Not, Op, Predicate, conjunction, disjunction
from detectors.sigma.regex import checked

Lists = Mapping[str, Sequence[str]]  # placeholder → its values

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


def condition(item: object, lists: Lists, missing: set[str]) -> Node:
    """Translate a parsed condition; names of placeholders without a list are added to `missing`."""
    match item:
        case ConditionAND():
            return conjunction([condition(part, lists, missing) for part in item.args])
        case ConditionOR():
            return disjunction([condition(part, lists, missing) for part in item.args])
        case ConditionNOT():
            return Not(condition(item.args[0], lists, missing))
        case ConditionFieldEqualsValueExpression():
            return value(item.field, item.value, lists, missing)
        case ConditionValueExpression():
            return value(None, item.value, lists, missing)
        case _:
            raise RuleError(f"a condition can't hold {type(item).__name__}")


def value(field: str | None, item: SigmaType, lists: Lists, missing: set[str]) -> Node:
    """Translate one value of a field (or keyword, where the field is None)."""
    if field is None and not isinstance(item, SigmaString | SigmaNumber | SigmaRegularExpression | SigmaExpansion):
        raise RuleError(f"a keyword can't be {_KINDS.get(type(item), type(item).__name__)}", fix="name a field for it")
    match item:
        case SigmaExpansion():
            return disjunction([value(field, inner, lists, missing) for inner in item.values])
        case SigmaString() if item.contains_placeholder():
            return disjunction([_string(field, filled) for filled in _filled(item, lists, missing)])
        case SigmaString():
            return _string(field, item)
        case SigmaRegularExpression():
            return _regex(field, item, lists, missing)
        case SigmaTimestampPart():
            return Predicate(field, _PARTS[item.timestamp_part.name], ("eq", str(item.number)))
        case SigmaNumber():
            text = str(item.number)
            return Predicate(field, "number" if field else "contains", (text,))
        case _:
            return _VALUES[type(item)](field, item)


def _string(field: str | None, item: SigmaString) -> Predicate:
    cased = isinstance(item, SigmaCasedString)
    parts = _collapsed(item)
    op, text = _shape(parts, keyword=field is None)
    return Predicate(field, op, (text if cased else text.lower(),) if op != "present" else (), cased)


def _collapsed(item: SigmaString) -> list[str]:
    """Return the parts of a string as pattern text, wildcards in a row as one."""
    parts: list[str] = []
    for part in item.s:
        text = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}.get(part) or glob.quote(str(part))
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
    sources = [item.regexp] if not item.regexp.contains_placeholder() else _filled(item.regexp, lists, missing)
    patterns = [checked(prefix + source.to_plain_regex()) for source in sources]
    return disjunction([Predicate(field, "regex", (pattern,), cased=True) for pattern in patterns])


def _filled(item: SigmaString, lists: Lists, missing: set[str]) -> list[SigmaString]:
    """Fill placeholders from their lists; without one the placeholder stays as text and the rule waits for it."""

    def values(placeholder: Placeholder) -> list[str]:
        if placeholder.name not in lists:
            missing.add(placeholder.name)
        return list(lists.get(placeholder.name, (f"%{placeholder.name}%",)))

    filled: list[SigmaString] = list(item.replace_placeholders(values))
    if not filled:
        raise RuleError("its placeholders expand to nothing", fix="give the value list at least one value")
    return filled


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


_VALUES: dict[type[SigmaType], Callable[[str | None, SigmaType], Predicate]] = {
    SigmaBool: lambda field, item: Predicate(field, "bool", ("true" if item.boolean else "false",)),
    SigmaNull: lambda field, _: Predicate(field, "null"),
    SigmaExists: lambda field, item: Predicate(field, "exists" if item.exists else "missing"),
    SigmaCIDRExpression: lambda field, item: Predicate(field, "cidr", (str(item.network),)),
    SigmaCompareExpression: _compare,
    SigmaFieldReference: _reference,
}
_KINDS: dict[type[SigmaType], str] = {
    SigmaBool: "a boolean",
    SigmaNull: "null",
    SigmaCIDRExpression: "a network (cidr)",
    SigmaCompareExpression: "a comparison",
    SigmaFieldReference: "a field reference",
    SigmaExists: "an existence test",
}
