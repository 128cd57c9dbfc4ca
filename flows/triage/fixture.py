"""A test for a rule, made of a finding that was real: its events, with pseudonyms wherever the rule lets one stand.

Each name is replaced by itself, and put back where the rule no longer matches without it: that is what the rule looks
for. So the test matches because it was tried, not because it should.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import orjson
import polars as pl

from connectors.definition import Definition
from connectors.parser import DefinedParser
from connectors.privacy.protect import substituted
from connectors.store_schema import REAL
from detectors.contracts import Batch
from detectors.errors import UsageError
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows.assembly import Parts
from flows.authoring.new import text
from flows.triage.pseudonyms import Pseudonyms, named

MOST: Final = 5  # events of a test
NAME: Final = "a confirmed finding of {day}"


@dataclass(frozen=True, slots=True)
class Fixture:
    """A test as it stands in a rule's `tests`, and what had to stay as it was."""

    case: Mapping[str, Any]
    kept: tuple[str, ...]  # values that the rule looks for

    @property
    def written(self) -> str:
        """Return the test as YAML, indented as in a rule."""
        return "".join(f"    {line}\n" for line in text([dict(self.case)]).splitlines())  # type: ignore[arg-type]  # any YAML


def fixture(finding: Mapping[str, Any], parts: Parts, zone: tzinfo) -> Fixture:
    """Return a test of a finding (a row of FINDING, with its verdict).

    Raises:
        UsageError: nobody said that it is real, its rule isn't there any more or is no Sigma rule of single events, its
            evidence holds no raw lines, or the rule doesn't match them.
    """
    if finding["soc.triage.reason"] not in REAL:
        raise UsageError(
            f"nobody said that {finding['event.id']} is real",
            fix=f"soc findings status {finding['event.id']} closed --reason true_positive",
        )
    rule = next((each for each in parts.rules.rules if each.id == finding["rule.id"]), None)
    if rule is None:
        raise UsageError(
            f"{finding['rule.id']} is no rule of single events that runs here",
            fix="tests of others are written by hand",
        )
    definition = parts.definitions.get(finding["soc.source"] or "")
    told = (each.get("event.original") for each in _shown(finding))
    lines = [line for line in dict.fromkeys(told) if isinstance(line, str) and line]
    if definition is None or not lines:
        raise UsageError(f"the finding {finding['event.id']} shows no raw lines of a known source")
    tried = _Tried(rule, definition, parts)
    matching = [line for line in lines if tried.matches(line)][:MOST]
    if not matching:
        raise UsageError(f"the rule {rule.meta.title!r} doesn't match these events any more", fix="look what changed")
    made, kept = tried.pseudonymised(matching)
    day = finding["@timestamp"]
    case = {
        "name": NAME.format(day=f"{day.astimezone(zone):%Y-%m-%d}" if day else "an unknown day"),
        "match": True,
        "source": definition.name,
        "lines": list(dict.fromkeys(made)),
    }
    return Fixture(case, tuple(kept))


class _Tried:
    """Asks a rule about lines of a source."""

    def __init__(self, rule: Rule, definition: Definition, parts: Parts) -> None:
        self._engine, self._definition = Engine([rule]), definition
        self._parser = DefinedParser(definition, enrichment=parts.enrichment)

    def matches(self, line: str) -> bool:
        """Say whether the rule matches a line."""
        events = self._parser.parse(self._batch(line), None).events
        return bool(self._engine.detect(self._parser.dialect, events).row.size)

    def pseudonymised(self, lines: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the lines with pseudonyms, and the values for which the rule looks."""
        names, made, kept = Pseudonyms(), [], dict[str, None]()
        for line in lines:
            told = line
            for kind, value in self._named(line):
                changed = substituted(told, value, names.of(kind, value), structured=self._structured)
                if changed is None:
                    continue
                if self.matches(changed):
                    told = changed
                else:
                    kept[value] = None
            made.append(told)
        return made, list(kept)

    @property
    def _structured(self) -> bool:
        return self._definition.reader.structured

    def _named(self, line: str) -> list[tuple[str, str]]:
        """Return what a line says of people and machines, long values first: they hold short ones."""
        events = self._parser.parse(self._batch(line), None).events
        fields = events.row(0, named=True) if events.height else {}
        personal = [("user", value) for name in self._definition.personal if isinstance(value := fields.get(name), str)]
        found = dict.fromkeys([*named(fields, line), *personal])
        return sorted(found, key=lambda pair: (-len(pair[1]), pair))

    def _batch(self, line: str) -> Batch:
        record = {"event.original": [line], "log.offset": [0], "soc.index": [0]}
        return Batch(self._definition.name, "fixture", "fixture", pl.DataFrame(record, schema=RECORD))


def _shown(finding: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        shown = orjson.loads(finding["soc.evidence"] or "[]")
    except orjson.JSONDecodeError:
        return []
    return [each for each in shown if isinstance(each, dict)] if isinstance(shown, list) else []
