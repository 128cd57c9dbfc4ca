"""Tests that can't be run as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from detectors.errors import RuleError
from detectors.nearest import nearest
from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.remarks import Remark
from flows.rulecases import cases


def tests(document: Document, fields: Fields) -> Iterator[Remark]:
    """A test that lacks something, or says what no test does."""
    for index, (place, case) in enumerate(cases(document)):
        if isinstance(case, RuleError):
            yield Remark(case.place or place, "error", "test", case.message, case.fix)
        elif case.source and case.source not in fields.sources():
            message, fix = f"no source is called {case.source!r:.80}", nearest(case.source, fields.sources())
            yield Remark(document.place("tests", index, "source"), "error", "test", message, fix)
