"""An unknown source is told with the one that is meant."""

from __future__ import annotations

import pytest

from flows.naming import no_source


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fortigat", "no source is called 'fortigat'; did you mean `fortigate`?"),
        ("quite-other", "no source is called 'quite-other'; `soc sources list` names all of them"),
    ],
)
def test_the_nearest_name_is_told_or_how_to_see_all(name: str, said: str) -> None:
    assert str(no_source(name, ["auth", "fortigate", "windows"])) == said
