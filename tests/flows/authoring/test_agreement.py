"""Outlines of real rules say of real events what the engine says."""

from __future__ import annotations

from pathlib import Path

from connectors.files import FileSource
from connectors.parser import DefinedParser
from connectors.recognise import recogniser
from detectors.sigma.asking import Asking
from detectors.sigma.logsources import routes
from detectors.sigma.outline import outline
from flows import assembly, ruletests
from flows.authoring import events, explain
from flows.settings import Settings

EVENTS = 150  # of each log


def test_the_outline_of_a_rule_matches_what_the_rule_matches(reference: Path, tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), [reference / "rules" / "rules" / "windows" / "builtin"])
    source = FileSource([reference / "otrf"], recogniser(parts.definitions), dead=lambda frame: frame)
    compared = matches = 0
    for batch in source.batches():
        parser = DefinedParser(parts.definitions[batch.source])
        events = parser.parse(batch, None).events.head(EVENTS)
        hits = parts.engine.detect(parser.dialect, events)
        asking = Asking(parser.dialect, events)
        for number in sorted(set(hits.rule.tolist()) | set(parts.engine.covered(parser.dialect)[::80])):
            rule = parts.rules.rules[number]
            document = ruletests.document_of(rule)
            assert document is not None
            bits = asking.matched(outline(document, {}), routes(rule.logsource, parser.dialect.logsource))
            assert bits == sum(1 << row for row in hits.row[hits.rule == number].tolist()), rule.place
            compared, matches = compared + 1, matches + bits.bit_count()
    assert compared > 20
    assert matches > 5


def test_every_regression_of_sigmahq_is_explained_as_a_match(reference: Path, tmp_path: Path) -> None:
    """Each log of SigmaHQ's regression data holds an event that the rule of the same path must find."""
    root = reference / "evtx" / "sigma-regression"
    logs = {rule_of(log, root, reference): log for log in sorted(root.rglob("*.evtx"))}
    parts = assembly.assemble(Settings(cache=tmp_path), [*logs])
    assert len(parts.rules.rules) == len(logs) > 30
    for rule in parts.rules.rules:
        found = events.find(str(logs[Path(rule.place.file)]), rule.logsource, parts, Settings(cache=tmp_path))
        assert explain.explain(rule, found, parts, {}).matches, rule.place


def rule_of(log: Path, root: Path, reference: Path) -> Path:
    """Return the rule that a log is the regression of: it lies under the same path."""
    return reference / "rules" / log.parent.relative_to(root).with_suffix(".yml")
