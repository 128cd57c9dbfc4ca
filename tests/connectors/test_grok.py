"""Names within patterns."""

from __future__ import annotations

import pytest

from connectors.grok import groups


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (r"^(?P<domain>[^\\]+)\\(?P<name>.+)$", ("domain", "name")),  # the backslash is a character, the group is one
        (r"\(?<a>(?<b>x)", ("b",)),  # an escaped parenthesis opens no group
        (r"(?:x)(?P<user.name>\S+)", ("user.name",)),
        ("none", ()),
    ],
)
def test_groups_are_told_by_name_wherever_backslashes_stand(pattern: str, names: tuple[str, ...]) -> None:
    assert groups(pattern) == names
