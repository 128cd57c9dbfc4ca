"""Outlines of real rules say of real events what the engine says."""

from __future__ import annotations

from pathlib import Path

from connectors.files import FileSource
from connectors.parser import DefinedParser
from detectors.sigma.asking import Asking
from detectors.sigma.logsources import routes
from detectors.sigma.outline import outline
from flows import assembly, ruletests
from flows.scanning import recogniser
from flows.settings import Settings

EVENTS = 300  # of each log


def test_the_outline_of_a_rule_matches_what_the_rule_matches(reference: Path, tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), [reference / "rules" / "rules" / "windows" / "builtin"])
    source = FileSource([reference / "otrf"], recogniser(parts), dead=lambda frame: frame)
    compared = matches = 0
    for batch in source.batches():
        parser = DefinedParser(parts.definitions[batch.source])
        events = parser.parse(batch, None).events.head(EVENTS)
        hits = parts.engine.detect(parser.dialect, events)
        asking = Asking(parser.dialect, events)
        for number in sorted(set(hits.rule.tolist()) | set(parts.engine.covered(parser.dialect)[::40])):
            rule = parts.rules.rules[number]
            document = ruletests.document_of(rule)
            assert document is not None
            bits = asking.matched(outline(document, {}), routes(rule.logsource, parser.dialect.logsource))
            assert bits == sum(1 << row for row in hits.row[hits.rule == number].tolist()), rule.place
            compared, matches = compared + 1, matches + bits.bit_count()
    assert compared > 30
    assert matches > 5
