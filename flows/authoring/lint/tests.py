"""Tests that can't be run as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from detectors.errors import RuleError
from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.remarks import Remark
from flows.rulecases import cases


def tests(document: Document, _: Fields) -> Iterator[Remark]:
    """A test that lacks something, or says what no test does."""
    for place, case in cases(document):
        if isinstance(case, RuleError):
            yield Remark(case.place or place, "error", "test", case.message, case.fix)
