from __future__ import annotations

import json
import re

import pytest

from dashboards import installation
from detectors.errors import UsageError

ACCESS = installation.read()


def test_the_writer_may_create_findings_and_nothing_more() -> None:
    writer = installation.roles(ACCESS)["_security/role/soc_writer"]
    rights = {name: set(each["privileges"]) for each in writer["indices"] for name in each["names"]}
    assert rights["soc-*"] == {"create_doc", "auto_configure", "view_index_metadata"}
    assert {name for name, some in rights.items() if some & {"index", "write", "delete", "all"}} == {"soc-memory-state"}


def test_whoever_reads_verdicts_only_reads() -> None:
    role = installation.roles(ACCESS)["_security/role/soc_verdicts"]
    assert {right for each in role["indices"] for right in each["privileges"]} == {"read"}
    assert all(
        re.search("alerts|findings|matches|coverage", name) for each in role["indices"] for name in each["names"]
    )


def test_a_reader_sees_one_organisation() -> None:
    ((path, role),) = installation.readers(ACCESS, ["000.01.H21"]).items()
    assert path == "_security/role/soc_reader_000.01.h21"
    queries = [json.loads(each["query"]) for each in role["indices"]]
    assert queries == [{"term": {"organization.id": "000.01.H21"}}] * len(queries)


@pytest.mark.parametrize("name", ["", "a/b", 'x"}}', "../soc_writer", "Sở Y tế"])
def test_an_organisation_is_an_id(name: str) -> None:
    with pytest.raises(UsageError, match="is no id of an organisation"):
        installation.readers(ACCESS, [name])


def test_indices_are_deleted_only_when_a_setting_says_so() -> None:
    for keep in (None, 400):
        policy = installation.lifecycle(ACCESS, keep)["_ilm/policy/soc-lifecycle"]["policy"]
        assert ("delete" in policy["phases"]) == (keep is not None)
        assert all("readonly" not in phase["actions"] for phase in policy["phases"].values())
    assert policy["phases"]["delete"]["min_age"] == "400d"


def test_marks_follow_the_content() -> None:
    one, other = (installation.lifecycle(ACCESS, keep)["_ilm/policy/soc-lifecycle"]["policy"] for keep in (1, 2))
    assert one["_meta"] != other["_meta"]
