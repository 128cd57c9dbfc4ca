"""What Elasticsearch gives back is known as ours, in whatever form it comes."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.elastic.differences import differences
from connectors.elastic.setup import steps
from connectors.elastic.steps import fingerprint, unwrapped

MARK = {"fingerprint": "f1"}
ROLE = {"cluster": ["monitor"], "indices": [{"names": ["soc-*"], "privileges": ["read"]}], "metadata": MARK}
POLICY = {"policy": {"phases": {}, "_meta": MARK}}
TRANSFORM = {"source": {"index": ["a"]}, "_meta": MARK}
TEMPLATE = {"template": {"settings": {"index": {"number_of_shards": 1}}}, "_meta": MARK}


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("_security/role/r", ROLE, {"r": {**ROLE, "transient_metadata": {"enabled": True}}}),
        ("_ilm/policy/p", POLICY, {"p": {"version": 3, "policy": POLICY["policy"], "in_use_by": {}}}),
        ("_transform/t", TRANSFORM, {"count": 1, "transforms": [{"id": "t", "version": "9.5.0", "create_time": 1,
                                                                 **TRANSFORM}]}),
        ("_index_template/i", TEMPLATE, {"index_templates": [{"name": "i", "index_template": TEMPLATE}]}),
        ("_component_template/c", TEMPLATE, {"component_templates": [
            {"name": "c", "component_template": {**TEMPLATE, "created_date_millis": 5}}]}),
    ],
)  # fmt: skip
def test_what_comes_back_is_what_was_put(path: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    (step,) = steps({path: body})
    assert unwrapped(step, answer) == body
    assert fingerprint(step, unwrapped(step, answer) or {}) == "f1"


@pytest.mark.parametrize("path", ["_security/role/r", "_ilm/policy/p"])
def test_what_is_not_there_is_none(path: str) -> None:
    (step,) = steps({path: {}})
    assert unwrapped(step, {}) is None


def test_differences_are_told_by_path_and_form_is_none() -> None:
    before = {"template": {"settings": {"index": {"number_of_shards": "1", "hidden": "true"}}, "aliases": {"a": {}}}}
    after = {"template": {"settings": {"index": {"number_of_shards": 2, "hidden": True}}}, "composed_of": ["x", "y"]}
    assert list(differences(before, after)) == [
        "+ composed_of: x, y",
        "~ template.settings.index.number_of_shards: 1 → 2",
    ]
    assert list(differences(ROLE, {**ROLE, "metadata": {"fingerprint": "f2"}})) == []
