"""Kibana's query language (KQL), as far as our dashboards speak it, as a query of Elasticsearch.

query  = either ("or" either)*        either = one ("and" one)*
one    = "not" one | "(" query ")" | FIELD ":" values | FIELD (">=" | "<=" | ">" | "<") VALUE
values = "*" | VALUE | "(" VALUE ("or" VALUE)* ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from detectors.errors import UsageError

Json = dict[str, Any]
TOKEN: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|>=|<=|[:<>*]|[^\s():<>*"]+)')
RANGES: Final = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}


def query(text: str) -> Json:
    """Return the query that a text of KQL stands for; an empty one is for all documents.

    Raises:
        UsageError: the text isn't one of those, and says where.
    """
    if not text.strip():
        return {"match_all": {}}
    reading = _Reading(text)
    found = reading.query()
    if reading.left:
        raise reading.fault("nothing more")
    return found


class _Reading:
    """Reads tokens from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.left = TOKEN.findall(text)

    def query(self) -> Json:
        return self._joined("or", lambda: self._joined("and", self._one, "filter"), "should")

    def _joined(self, word: str, part: Callable[[], Json], clause: str) -> Json:
        parts = [part()]
        while self._next() == word:
            self._take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return {"bool": {clause: parts} | ({"minimum_should_match": 1} if clause == "should" else {})}

    def _one(self) -> Json:
        if self._next() == "not":
            self._take()
            return {"bool": {"must_not": [self._one()]}}
        if self._next() == "(":
            self._take()
            found = self.query()
            self._expect(")")
            return found
        return self._comparison(self._word("a field"))

    def _comparison(self, field: str) -> Json:
        sign = self._take()
        if sign in RANGES:
            return {"range": {field: {RANGES[sign]: _plain(self._word("a value"))}}}
        if sign != ":":
            raise self.fault("`:` or a comparison")
        if self._next() == "(":
            self._take()
            values = [self._word("a value")]
            while self._next() == "or":
                self._take()
                values.append(self._word("a value"))
            self._expect(")")
            return {"bool": {"should": [_is(field, value) for value in values], "minimum_should_match": 1}}
        if self._next() == "*":
            self._take()
            return {"exists": {"field": field}}
        return _is(field, self._word("a value"))

    def _word(self, wanted: str) -> str:
        token = self._take()
        if token in {"", "(", ")", ":", "*", "and", "or", "not", *RANGES}:
            raise self.fault(wanted)
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise self.fault(f"`{token}`")

    def _next(self) -> str:
        return self.left[0] if self.left else ""

    def _take(self) -> str:
        return self.left.pop(0) if self.left else ""

    def fault(self, wanted: str) -> UsageError:
        """Return what to raise where something else was expected."""
        rest = " ".join(self.left) or "the end"
        return UsageError(
            f"{wanted} is expected before {rest!r} in the query {self._text!r}", fix="see docs/dashboards.md"
        )


def _is(field: str, value: str) -> Json:
    """Return what Kibana asks for: a phrase where it is quoted, else a match."""
    return {"match_phrase" if value.startswith('"') else "match": {field: _plain(value)}}


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
