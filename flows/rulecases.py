"""The tests that stand inside a rule's own file, or a correlation's.

tests:
  - name: what it shows
    match: true              # every event below must match; false: none may (a correlation: whether it raises an alert)
    events: [{field: value}] # events as the rule sees them (with their `@timestamp` for correlations), or
    lines: ["raw log line"]  # raw lines of a source, read by its definition
    source: auth             # with `events`: each is a JSON line of that source
    group: user.name=root    # what the findings say, each of them or a list: all that they are, and nothing else
    severity: 73
    message: …
    findings: 1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from detectors.errors import Place, RuleError
from detectors.sigma.document import Document
from flows.refusing import refusal

COUNT = "findings"
TAKES: Final = {
    "name": "what the test shows, as a text",
    "match": "`true` or `false`",
    "events": "a list of events, each a map of fields to values",
    "lines": "a list of raw lines, each a text",
    "source": "the name of a source: soc sources list",
    "group": "a text such as `user.name=root`, or a list of them",
    "severity": "a number: 21 low, 47 medium, 73 high, 99 critical",
    "message": "a text, or a list of them",
    "findings": "how many, as a number",
}


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Case(BaseModel):
    """One test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    match: bool
    events: list[dict[str, Any]] = []
    lines: list[str] = []
    source: str = ""
    group: Texts = ()
    severity: int | None = None
    message: Texts = ()
    findings: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_input(self) -> Case:
        if bool(self.events) == bool(self.lines):
            raise ValueError("give either `events` or `lines`")
        if self.lines and not self.source:
            raise ValueError("`lines` need the `source` whose definition reads them")
        if self.asserts and not (self.match and self.source):
            raise ValueError("what findings say needs `match: true` and the `source` that events come from")
        return self

    @property
    def asserts(self) -> dict[str, set[Any]]:
        """Return what the columns of findings must hold, those that the test names."""
        severity = () if self.severity is None else (self.severity,)
        asked = {"soc.group": self.group, "event.severity": severity, "message": self.message}
        counted = {} if self.findings is None else {COUNT: {self.findings}}
        return {column: set(values) for column, values in asked.items() if values} | counted


def cases(document: Document) -> Iterator[tuple[Place, Case | RuleError]]:
    """Yield the tests of a rule's document, each with its place."""
    written = document.data.get("tests") or []
    if not isinstance(written, list):
        fix = "begin each test with `- name: …`, and put its other keys below `name`"
        yield document.place("tests"), RuleError("tests: it is no list", place=document.key("tests"), fix=fix)
        return
    for index, body in enumerate(written):
        place = document.place("tests", index)
        try:
            yield place, Case.model_validate(body)
        except ValidationError as error:
            yield place, refusal(document, "tests", index, error, TAKES)
