"""Text from logs, made safe to print: what would steer a terminal or hide from the reader is shown as an escape."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"


def visible(text: str, keep: str = "") -> str:
    r"""Show every character that has no picture of its own as an escape: ESC as `\x1b`, a bidi override as `\u202e`.

    That covers C0 and C1 controls (so ANSI sequences lose their ESC), bidi and zero-width characters, lone surrogates
    and line separators. Spaces of any width and tabs become a plain space. Characters in `keep` stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _shown(c) for c in text)


def _shown(character: str) -> str:
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def plain(text: str, width: int | None = None) -> str:
    """Return text as one safe line, cut to `width` terminal cells with an ellipsis."""
    if width is None:
        return visible(text)
    # Two combining marks on a letter are everyday writing; a longer pile would never fill the width.
    shown = visible(text[: 3 * width + 3])
    if len(text) <= 3 * width + 3 and cell_len(shown) <= width:
        return shown
    return set_cell_size(shown, max(width - 1, 0)).rstrip() + ELLIPSIS if width > 0 else ""


def counted(rules: int) -> str:
    """Return `1 rule` or `7 rules`."""
    return "1 rule" if rules == 1 else f"{rules:,} rules"
