"""Numbers: separators and decimals as each language has them."""

from __future__ import annotations

import pytest

from detectors.numbers import number


@pytest.mark.parametrize(
    ("value", "english", "vietnamese"),
    [
        (0, "0", "0"),
        (7.04, "7", "7"),
        (3.45, "3.5", "3,5"),
        (1_234_567, "1,234,567", "1.234.567"),
        (-1_234.5, "-1,234", "-1.234"),
    ],
)
def test_separators_are_those_of_the_language(value: float, english: str, vietnamese: str) -> None:
    assert (number(value, "en"), number(value, "vi")) == (english, vietnamese)
