"""What flows log of errors."""

from __future__ import annotations

import io
import logging

import pytest

from detectors.errors import UsageError
from flows import orchestration  # noqa: F401 - sets the loggers up


@pytest.mark.parametrize(
    ("error", "lines"),
    [(UsageError("nothing to read", fix="set `inputs`"), ["nothing to read; set `inputs`"]), (KeyError("x"), None)],
)
def test_an_error_that_says_what_to_do_is_told_without_a_traceback(error: Exception, lines: list[str] | None) -> None:
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    logger = logging.getLogger("prefect.flow_runs")
    logger.addHandler(handler)
    try:
        logger.error("Encountered exception during execution: %r", error, exc_info=error)
    finally:
        logger.removeHandler(handler)
    seen = told.getvalue().splitlines()
    assert seen == lines if lines else len(seen) > 1
