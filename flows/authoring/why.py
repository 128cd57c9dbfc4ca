"""Why a value does not fit: what would have to be otherwise, tried out one thing at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import SequenceMatcher

from detectors.nearest import closest, meant
from detectors.sigma import glob
from detectors.sigma.fold import fold
from detectors.sigma.predicates import REFERENCE_OPS, TEXT_OPS, Predicate
from detectors.sigma.regex import program
from detectors.sigma.truth import holds, number

LONG = 300  # characters of a text that are compared


def missing(name: str, there: Collection[str], *, possible: bool) -> str:
    """Say why a field has no value in an event that has values in the fields `there`."""
    if not possible:
        told = f"events of this source never have `{name}`", meant(name, sorted(there, reverse=True))
        return "; ".join(filter(None, told))
    same = next((each for each in there if each.lower() == name.lower()), None)
    if same is not None:
        return f"the event calls it `{same}`: the case of names counts"
    near = closest(name, sorted(there, reverse=True))
    return f"this event has no `{name}`" + (f"; it has `{near}`" if near else "")


def different(predicate: Predicate, texts: list[str]) -> str:
    """Return the first reason why a predicate does not hold of texts that a small change would mend, or ""."""
    return next((reason for text in texts for reason in _reasons(predicate, text)), "")


def closeness(value: str, texts: list[str]) -> float:
    """Say how much of a value stands in one piece in a text, 0 to 1."""
    value = fold(value[:LONG])
    matchers = (SequenceMatcher(None, value, fold(text[:LONG]), autojunk=False) for text in texts)
    return max((each.find_longest_match().size for each in matchers), default=0) / max(len(value), 1)


def _reasons(predicate: Predicate, text: str) -> Iterator[str]:
    op = predicate.op
    if predicate.cased and op in TEXT_OPS | {"like"} and _fits(predicate, text, cased=False):
        yield "only the case of letters differs: leave `cased` out"
    if op == "regex":
        yield from _of_patterns(predicate, text)
    if op in TEXT_OPS or op == "like":
        yield from _of_texts(predicate, text)
    if op in ("number", "lt", "lte", "gt", "gte") and number(text) is None:
        yield "that is no number"
    if op == "cidr" and not holds(Predicate(None, "cidr", ("0.0.0.0/0", "::/0")), [text])[0]:
        yield "that is no address"
    if op in REFERENCE_OPS:
        yield f"the other field, `{predicate.values[0]}`, says something else"


def _fits(predicate: Predicate, text: str, *, cased: bool) -> bool:
    values = predicate.values if cased else tuple(map(fold, predicate.values))
    return holds(Predicate(None, predicate.op, values, cased), [text])[0]


def _of_patterns(predicate: Predicate, text: str) -> Iterator[str]:
    if any(program(f"(?i){pattern}").search(text.encode()) for pattern in predicate.values):
        yield "only the case of letters differs: add `|i` after `re`"
    if any(program(f"(?s){pattern}").search(text.encode()) for pattern in predicate.values):
        yield "`.` stops at the end of a line: add `|s` after `re`"


def _of_texts(predicate: Predicate, text: str) -> Iterator[str]:
    seen = text if predicate.cased else fold(text)
    for value in predicate.values:
        if predicate.op == "like":
            if program(glob.regex(value, anchored=False)).search(seen.encode()):
                yield "the pattern fits a part of it: begin and end with `*`, or use `|contains`"
            continue
        if not value:
            continue
        if seen.strip() == value.strip():
            yield "only blanks around it differ"
        if value in seen:
            where = {"startswith": "it does not stand at the beginning", "endswith": "it does not stand at the end"}
            yield f"{where.get(predicate.op, 'it is a part of what is there')}: `|contains` would fit"
        if _single(value) in _single(seen):
            yield "only the number of backslashes differs"
        if "*" in value or "?" in value:
            yield "`*` and `?` are plain characters where a `\\` stands before them"


def _single(text: str) -> str:
    while "\\\\" in text:
        text = text.replace("\\\\", "\\")
    return text
