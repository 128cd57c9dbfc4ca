"""Nothing can be left out of our own rules without one of their tests noticing."""

from __future__ import annotations

from pathlib import Path

from flows import assembly
from flows.authoring import check, mutation
from flows.authoring.fields import Fields
from flows.authoring.memo import Memo
from flows.ruleset import own_rules, rule_files
from flows.settings import Settings


def test_every_piece_of_every_rule_is_tested(tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), [own_rules()])
    scores = {rule.meta.title: mutation.score(rule, parts, {}) for rule in parts.rules.rules}
    assert sum(score.tried for score in scores.values()) > 200
    assert [str(survivor) for score in scores.values() for survivor in score.survivors] == []


def test_the_check_has_nothing_to_say(tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), [own_rules()])
    assert (
        check.check(parts.rules, rule_files([own_rules()]), Fields(lambda: parts.definitions), Memo(None, "check"))
        == []
    )
