"""What a correlation asks for, in words."""

from __future__ import annotations

from detectors.correlation.link import Linked
from detectors.correlation.rule import Bound


def asks(linked: Linked) -> str:
    """Return what a correlation asks for, in one line."""
    rule = linked.rule
    bounds = " and ".join(map(_bound, rule.bounds))
    of = f" of {', '.join(rule.fields)}" if rule.fields else ""
    by = f" for each {', '.join(rule.group_by)}" if rule.group_by else ""
    what = _terms(linked) if rule.terms else f"{rule.type}{of} {bounds}"
    return f"{what} within {length(rule.span)}{by}"


def _bound(bound: Bound) -> str:
    return f"{bound.operator} {bound.limit:g}"


def _terms(linked: Linked) -> str:
    words = [reference.word for reference in linked.rule.rules]
    told = [
        " and ".join([*(words[slot] for slot in term.present), *(f"not {words[slot]}" for slot in term.absent)])
        for term in linked.rule.terms
    ]
    return f"{linked.rule.type} {' or '.join(told)}"


def length(seconds: int) -> str:
    """Return a length of time as correlations write it: in the largest unit that divides it.

    >>> length(5400), length(86400)
    ('90m', '1d')
    """
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
