from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flows.terminal import plain, visible


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),  # C1: CSI in one character
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("a\u200bb\u2066c", r"a\u200bb\u2066c"),
        ("two\nlines\r", r"two\nlines\r"),
        ("tab\tand\u00a0space", "tab and space"),
        ("\ud800", r"\ud800"),
        ("Sở Y tế tỉnh Gia Lai 😀", "Sở Y tế tỉnh Gia Lai 😀"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_instead(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


def test_characters_to_keep_stay() -> None:
    assert visible("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("short", 10, "short"), ("exactly10!", 10, "exactly10!"), ("eleven char", 10, "eleven ch…"), ("abc", 0, "")],
)
def test_a_long_text_ends_with_an_ellipsis(text: str, width: int, shown: str) -> None:
    assert plain(text, width) == shown


def test_a_megabyte_is_cut_without_reading_it_all() -> None:
    assert plain("x" * 1_000_000, 5) == "xxxx…"


@settings(deadline=None)
@given(st.text(st.characters(), max_size=80), st.integers(0, 40))
def test_nothing_unprintable_passes_and_the_width_holds(text: str, width: int) -> None:
    shown = plain(text, width)
    assert cell_len(shown) <= width
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
