"""The documents of a YAML text to what they are: detection rules, correlations and filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from detectors.correlation.aggregation import aggregation, is_aggregation
from detectors.correlation.parse import correlation
from detectors.correlation.rule import Correlation
from detectors.errors import Place, RuleError
from detectors.sigma.document import Document, documents
from detectors.sigma.filters import Filter, is_filter
from detectors.sigma.parse import rule
from detectors.sigma.parse_filter import filter_of
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists

OTHERS: Final = ("correlation", "filter")  # sections of documents that are no detection rules


def contents(text: str, file: str, lists: Lists | None = None) -> Iterator[Rule | Correlation | Filter | RuleError]:
    """Yield what a YAML text holds, and for each document that can't be run a RuleError per fault.

    `lists` fills placeholders (`expand` modifier).
    """
    document: Document | RuleError | None = None
    for document in documents(text, file):
        if isinstance(document, RuleError):
            yield document
        else:
            yield from _content(document, {} if lists is None else lists)
    if document is None:
        yield RuleError(
            "the file holds no rule", place=Place(file, 1, 1), fix="write one (soc rules new), or delete it"
        )


def _content(document: Document, lists: Lists) -> Iterator[Rule | Correlation | Filter | RuleError]:
    if is_filter(document.data):
        yield from filter_of(document, lists)
    elif isinstance(document.data.get("correlation"), dict):  # some rules have free text there
        yield from correlation(document)
    elif "detection" not in document.data and (section := next(filter(document.data.__contains__, OTHERS), "")):
        yield RuleError(f"`{section}` is not a map", place=document.place(section), fix="write its keys under it")
    elif is_aggregation(document):
        yield from aggregation(document, lists)
    else:
        yield from rule(document, lists)
