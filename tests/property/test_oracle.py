"""SigmaHQ's rules over real events and events made for them: the engine finds what pySigma's SQLite backend finds.

`SIGMA_SHARE=1` asks all rules of all events; otherwise it is every eighth rule, those with a rare construct, and
every eighth event of large kinds.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from connectors.formats import json_lines
from tests.detectors.sigma.asking import DIALECT, frame
from tests.property import oracle_made
from tests.property.oracle import Oracle
from tests.property.oracle_compare import Comparison, Difference
from tests.property.oracle_kinds import kinds

SHARE: Final = int(os.environ.get("SIGMA_SHARE", "8"))
LISTS: Final = {"known_cdcs": ["*CDC*", "WIN-?"]}  # what rules leave to those who run them
RARE: Final = re.compile(r"\|(?:re|cidr|fieldref|base64\w*|wide)\b|[\u0370-\u04ff]")  # the last are Greek and Cyrillic


@pytest.fixture(scope="module")
def oracle(reference: Path) -> Oracle:
    texts = [path.read_text("utf-8") for path in sorted((reference / "rules").rglob("*.yml"))]
    return Oracle([text for number, text in enumerate(texts) if number % SHARE == 0 or RARE.search(text)], LISTS)


@pytest.fixture(autouse=True)
def _read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read few JSON lines as many are read."""
    monkeypatch.setattr(json_lines, "FEW", 0)
    monkeypatch.setattr(json_lines, "COLD", 0)


@pytest.mark.reference
def test_engine_and_oracle_agree_on_real_events(oracle: Oracle, reference: Path) -> None:
    comparison = Comparison(oracle)
    tally: dict[str, Counter[str]] = {}
    differences = []
    for kind in kinds(reference, SHARE):
        count = tally.setdefault(kind.dialect.name, Counter())
        for parsed in kind.events(comparison.wanted(kind.dialect)):
            events = parsed.frame()
            count["events"] += events.height
            for way, ask in (("everywhere", comparison.everywhere), ("routed", comparison.routed)):
                outcome = ask(kind.dialect, events, parsed.encoded)
                count[f"pairs {way}"] += outcome.pairs
                count[f"matched {way}"] += outcome.matched
                differences += [shown(oracle, each, way, events) for each in outcome.differences]
    print(pl.DataFrame([{"kind": kind, **count} for kind, count in tally.items()]).sort("kind").write_csv())
    assert differences == []
    assert tally["Windows, EVTX"]["matched routed"]
    assert tally["apache"]["matched everywhere"]


def shown(oracle: Oracle, difference: Difference, way: str, events: pl.DataFrame) -> tuple[object, ...]:
    """Return what tells a difference to people: the rule, and an event that only the engine or the oracle finds."""
    rule = oracle.questions[difference.question].rule.meta
    sides = (difference.engine, difference.oracle)
    return way, rule.id, rule.title, *(events["event.original"][rows[0]] if rows else None for rows in sides)


def _address(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return re.sub(r"^([0-9]+\.|[0-9a-fA-F]*:).*", "no address", text)
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)


def _foreign(text: str, change: Callable[[str], str]) -> str:
    """Change the words beyond ASCII; two letters there have an ASCII letter for their lower case."""
    return re.sub(r"[^\0-\x7f]+", lambda word: change(word[0]), text.translate({0x130: "i", 0x212A: "k"}))


# Why the oracle is wrong of an event, with ways to spell the event so that it gets it right.
EXPLAINED: Final[dict[str, tuple[Callable[[str], str], ...]]] = {
    "§1.4: SQLite knows the case of ASCII letters only": (
        lambda text: _foreign(text, str.lower),
        lambda text: _foreign(text, str.upper),
        lambda text: _foreign(text, str.capitalize),
    ),
    "§1.5: Python's regular expressions know letters, digits and blanks beyond ASCII": (
        lambda text: re.sub(r"[^\0-\x7f]", ".", text),
    ),
    "§1.5: Python's regular expressions let `$` stand before a last newline, too": (
        lambda text: re.sub(r"\n\Z", "\n.", text),
    ),
    "§1.3: SQLite compares numbers in fields of text as texts": (
        lambda text: re.sub(r"^\s*(\d+)(\.0)?\s*$", r"\1", text),
    ),
    "§1.5: the backend compares networks as beginnings of texts": (_address,),
    "LIKE and NOCASE read no further than a NUL": (lambda text: text.replace("\0", "\x01"),),
}


@pytest.mark.reference
def test_engine_and_oracle_agree_on_events_made_for_the_rules(oracle: Oracle) -> None:
    comparison = Comparison(oracle)
    asked = oracle.questions
    counts = [16 if RARE.search(question.text) else 2 * SHARE for question in asked]
    events = [event for one, count in zip(asked, counts, strict=True) for event in oracle_made.events(one.rule, count)]
    outcome = comparison.everywhere(DIALECT, frame(events))
    print(f"{outcome.pairs} pairs, {outcome.matched} matched, {len(outcome.fired)} rules fired")
    unexplained = {
        (each.question, row): found
        for each in outcome.differences
        for found, rows in ((True, each.engine), (False, each.oracle))
        for row in rows
    }
    for reason, spellings in EXPLAINED.items():
        before = len(unexplained)
        for spelled in spellings:
            doubtful = sorted({row for _, row in unexplained})
            again = [{name: spelled(text) for name, text in events[row].items()} for row in doubtful]
            answers = comparison.expected(DIALECT, frame(again))
            unexplained = {
                (question, row): found
                for (question, row), found in unexplained.items()
                if answers[question][doubtful.index(row)] != found
            }
        print(f"{before - len(unexplained)} differences: {reason}")
        assert len(unexplained) < before, f"no longer so: {reason}"
    assert [(asked[question].rule.meta.title, events[row]) for question, row in unexplained] == []
    assert len(outcome.fired) > 0.99 * len(asked)
