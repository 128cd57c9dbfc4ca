r"""Sigma wildcards as text: `*` any run, `?` one character, `\` before `*`, `?` or `\` makes it plain."""

from __future__ import annotations

import re

ANY = "*"
ONE = "?"
_TOKEN = re.compile(r"\\[*?\\]|[*?]|[^*?\\]+|\\")


def quote(text: str) -> str:
    r"""Return the pattern that means exactly this text.

    >>> quote("C:\\*")
    'C:\\\\\\*'
    """
    return re.sub(r"([*?\\])", r"\\\1", text)


def parts(pattern: str) -> list[tuple[bool, str]]:
    r"""Split a pattern into (is a wildcard, text) pairs; neighbouring plain texts are joined.

    >>> parts("a\\*b*c")
    [(False, 'a*b'), (True, '*'), (False, 'c')]
    """
    found: list[tuple[bool, str]] = []
    for token in _TOKEN.findall(pattern):
        wild = token in (ANY, ONE)
        text = token[1:] if len(token) == 2 and token[0] == "\\" else token
        if not wild and found and not found[-1][0]:
            found[-1] = (False, found[-1][1] + text)
        else:
            found.append((wild, text))
    return found


def regex(pattern: str, *, anchored: bool = True) -> str:
    r"""Return the regular expression (Rust, Python and RE2 alike) of a pattern.

    >>> regex("net*user?")
    '(?s)\\Anet.*user.\\z'
    """
    body = "".join({ANY: ".*", ONE: "."}[text] if wild else escape(text) for wild, text in parts(pattern))
    return rf"(?s)\A{body}\z" if anchored else f"(?s){body}"


def literal(pattern: str) -> str:
    """Return the longest plain text that everything matching the pattern contains ("" if there is none)."""
    return max((text for wild, text in parts(pattern) if not wild), key=len, default="")


def escape(text: str) -> str:
    """Return the regular expression that means exactly this text."""
    # re.escape also escapes characters such as '<' or ' ' that the Rust engine would refuse escaped
    return re.sub(r"([\\.+*?()|\[\]{}^$#&\-~])", r"\\\1", text)
