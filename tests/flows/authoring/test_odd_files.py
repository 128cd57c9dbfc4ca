"""Whatever stands in a rule file, the check says something sensible of it and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from connectors.definitions import load_definitions
from detectors.sigma.engine import Engine
from flows import ruleset, ruletests
from flows.assembly import Detections, Parts
from flows.authoring import check
from flows.authoring.fields import Fields
from flows.authoring.memo import Memo

DEFINITIONS = load_definitions()
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "*", "\\", "%x%", "\x1b[2J", "1 of them"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b|re", "", "c|all", "condition"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = ("id", "status", "description", "references", "date", "tags", "logsource", "detection", "falsepositives",
        "level", "runbook", "soc", "tests", "related")  # fmt: skip
documents = st.dictionaries(st.sampled_from(KEYS), anything, max_size=6)


@seed(3)
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(documents)
@example({"tags": {"a": 1}, "logsource": ["x"], "runbook": ["x"], "references": "x", "date": {}})
@example({"logsource": {"category": 1}, "detection": {"a": [{"b|re": {"a": 1}}], "condition": ["a", None]}})
@example({"soc": {"group-by": {"a": 1}, "message": {"en": "{x} {cs-methd}"}}, "tags": "attack.t1110"})
@example({"tests": {"name": 1}, "detection": [1], "soc": 1})
def test_the_check_and_the_tests_never_break_down(tmp_path: Path, document: dict[str, Any]) -> None:
    path = tmp_path / "rule.yml"
    sound = {
        "title": "A rule",
        "logsource": {"category": "webserver"},
        "detection": {"a": {"cs-method": "x"}, "condition": "a"},
    }
    path.write_text(yaml.dump({**sound, **document}, allow_unicode=True))
    rules = ruleset.load([tmp_path])
    remarks = check.check(rules, [str(path)], Fields(lambda: DEFINITIONS), Memo(None, "check"), strict=True)
    assert remarks
    assert all(remark.place.file == str(path) and remark.message for remark in remarks)
    assert ruletests.run(Parts(DEFINITIONS, rules, Engine(rules.rules), Detections(rules.rules))) or not rules.rules
