"""An outline, asked piece by piece, says of random events what a plain evaluator says."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, given, seed, settings

from detectors.sigma.asking import Asking
from detectors.sigma.document import Document, documents
from detectors.sigma.logsources import EVERYTHING
from detectors.sigma.outline import Change, Piece, changes, outline
from tests.property import reference
from tests.property.detections import LISTS, detections
from tests.property.events import Batch, batches


def outlined(detection: dict[str, Any]) -> Piece:
    text = yaml.dump({"detection": detection}, Dumper=yaml.CSafeDumper, allow_unicode=True)
    (document,) = documents(text, "test.yml")
    assert isinstance(document, Document)
    return outline(document, LISTS.values)


@seed(7)
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(detections, batches)
def test_an_outline_means_what_the_rule_means(detection: dict[str, Any], batch: Batch) -> None:
    top, asking = outlined(detection), Asking(batch.dialect, batch.frame())
    expected = [reference.matches(detection, case) for case in batch.cases(LISTS)]
    bits = asking.matched(top, [EVERYTHING])
    assert [bool(bits >> row & 1) for row in range(len(expected))] == expected


@seed(11)
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(detections, batches)
def test_a_change_means_the_rule_without_that_thing(detection: dict[str, Any], batch: Batch) -> None:
    top, asking = outlined(detection), Asking(batch.dialect, batch.frame())
    for change in changes(top):
        assert asking.matched(top, [EVERYTHING], change) == without(asking, top, change)


def without(asking: Asking, piece: Piece, change: Change) -> int:
    """Work out the plainest way what a piece says once a change is made."""
    if piece.asks is not None:
        return asking.true(piece.asks, EVERYTHING)
    gone = change.at if piece is change.piece else -1
    parts = [without(asking, part, change) for at, part in enumerate(piece.parts) if at != gone]
    if piece.kind == "not":
        return parts[0] if gone is None else asking.every & ~parts[0]
    found = asking.every if piece.kind == "all" else 0
    for bits in parts:
        found = found & bits if piece.kind == "all" else found | bits
    return found


DETECTION = {
    "a": {"f|contains": ["x", "y"], "g": 1},
    "b": ["k1", "k2"],
    "c": {"h|neq": "z"},
    "condition": "a and (b or not c)",
}


def test_every_piece_can_be_left_out_that_leaves_something() -> None:
    told = [(change.piece.label, change.at) for change in changes(outlined(DETECTION))]
    assert told == [
        ("a and (b or not c)", 0),
        ("a and (b or not c)", 1),
        ("a", 0),
        ("a", 1),
        ("f|contains", 0),
        ("f|contains", 1),
        ("(b or not c)", 0),
        ("(b or not c)", 1),
        ("keywords", 0),
        ("keywords", 1),
        ("not c", None),
        ("h|neq", None),
    ]


def test_a_piece_knows_its_line() -> None:
    text = "detection:\n  a:\n    f|contains:\n      - x\n      - y\n  condition: a\n"
    (document,) = documents(text, "r.yml")
    assert isinstance(document, Document)
    (change, other) = changes(outline(document, {}))
    assert isinstance(change, Change)
    assert [str(each.piece.parts[each.at or 0].place) for each in (change, other)] == ["r.yml:4:9", "r.yml:5:9"]
