"""Texts and values that meet often: rules and events are made of the same few pieces.

The pieces are what engines get wrong: letters whose other case is longer, further away or another letter's, wildcards
and backslashes, dashes, control characters, numbers and addresses in several spellings.
"""

from __future__ import annotations

from base64 import b64encode
from itertools import product
from typing import TypeVar

from hypothesis import strategies as st

_T = TypeVar("_T")

LETTERS = ["a", "b", "A", "B", "ab"]
ODD_LETTERS = [
    *(
        "İ",
        "ı",
        "i",
        "I",
        "ſ",
        "s",
        "K",
        "\u212a",
        "k",
        "Σ",
        "ς",
        "σ",
        "ß",
        "ẞ",
        "đ",
        "Đ",
        "ặ",
        "Ặ",
        "𐐀",
        "𐐨",
        "ﬁ",
        "ǅ",
    ),
]
SIGNS = [
    *(
        "-",
        "/",
        "\u2013",
        "\u2015",
        ".",
        " ",
        "'",
        '"',
        "\\",
        "%",
        "1",
        "0",
        "5",
        "😀",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\x1f",
    ),
]
WILD = ["*", "?", "\\*", "\\?", "\\\\", "\\"]
NUMBERS = [
    *("0", "1", "5", "5.0", " 5 ", "5\n", "-1", "+5", "05", "1e1", ".5", "5.", "10", "1_0", "0x5", "٥", "nan", "inf"),
    *("1e400", "-0", "x5"),
]
# neighbours that a float can't tell apart
LARGE = ["9007199254740991", "9007199254740992", "9007199254740993", "09007199254740993", "9007199254740993.0", "1e16"]
TIMES = [
    *("2024-05-06T03:04:05Z", "2024-05-06 03:04:05.678", "2020-12-31", "2024-05-06T23:59:59+07:00", "2024-W19-1"),
    *("1714964645", "1714964645.5", "1714964645678", "1714964645678901234", "20240506", "2024-02-30", "03:04:05"),
]
ADDRESSES = [
    *("10.0.0.1", "10.0.0.1 ", "10.0.0.256", "010.0.0.1", "192.0.2.7", "::1", "0:0::1", "::ffff:10.0.0.1"),
    *("2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "fe80::1%eth0", "10.0.0.0/8"),
]
WORDS = ["", "true", "False", "TRUE", "0", "1", "*", "a*", "\\", "ab", "AB", "%a%", "%", "null", "net user", "aB*Σ"]
DASHED = ["-x", "/x", "—X", "-a /b", "a-b", "- x", "--x", "aa-b", "-xa-b", "\u2013x"]
PLAIN = ["aBc", "a b", "ſKß1", "đ-😀"]  # to be encoded: one, two and no bytes of padding
ENCODINGS = ["utf-8", "utf-16-le", "utf-16-be", "utf-16"]


def even(*branches: st.SearchStrategy[_T]) -> st.SearchStrategy[_T]:
    """Return a strategy that takes each branch as often; `one_of` alone takes those of a branch for its own."""
    return st.one_of([st.builds(_same, branch) for branch in branches])


def _same(value: _T) -> _T:
    return value


def _text(pieces: list[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=most).map("".join)


def _encoded(text: str, encoding: str, before: str) -> list[str]:
    """Return a text encoded, as it stands and within a Base64 text."""
    data = text.encode(encoding)
    return [data.decode("latin-1"), b64encode(data).decode(), b64encode(before.encode() + data + b"/").decode()]


ENCODED = [
    each
    for text, encoding, before in product(PLAIN, ENCODINGS, ("", "a", "ab"))
    for each in _encoded(text, encoding, before)
]
encoded = st.sampled_from(ENCODED)
texts = even(
    _text(["a", "b", "A"], 2),
    _text(["a", "b", "A"], 2),
    _text(LETTERS, 4),
    _text(LETTERS + SIGNS, 3),
    _text(LETTERS[:2] + ODD_LETTERS, 3),
    _text(LETTERS[:3] + WILD, 4),
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
)
_ends = st.sampled_from(["", "*", "?", "**", "?*"])
patterns = even(
    texts,
    texts,
    st.tuples(_ends, texts, _ends).map("".join),
    st.tuples(texts, _ends, texts).map("".join),
    st.sampled_from(["?", "*", "??", "?*", "*?", "**", "\\*", "\\?"]),
)
plain = st.sampled_from(PLAIN)
dashed = even(st.sampled_from(DASHED), st.tuples(_ends, st.sampled_from(DASHED), _ends).map("".join))
numbers = even(
    st.sampled_from([5, 0, 1, -1, 10, 5.0, 5.5, 0.5, -0.0, 1e3, 20240506]),
    st.sampled_from([2**53 + 1, 2**53, 2**53 - 1, -(2**53) - 1, 10**16]),
)
scalars = even(patterns, patterns, patterns, numbers, st.booleans())
networks = st.sampled_from(
    ["10.0.0.0/8", "10.0.0.1", "::1/128", "::/0", "0.0.0.0/0", "2001:db8::/32", "::ffff:10.0.0.0/104", "fe80::/10"]
)
_atoms = st.sampled_from(
    [*("a", "b", "k", "Σ", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\W", r"\.", r"\\", "(?:ab)", "5", "-")]
)
_repeats = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,1}", "+?"])
_edges = st.sampled_from(["", "", "^", "$", r"\b", r"\B"])
_branches = st.lists(st.tuples(_atoms, _repeats, _edges).map("".join), min_size=1, max_size=3).map("".join)
regexes = even(
    st.tuples(_edges, _branches).map("".join),
    st.tuples(_branches, _branches).map("|".join),
    st.tuples(_branches, _branches, _branches).map(lambda parts: "{}({}|{})".format(*parts)),
)

# A text that is longer than the engine searches at once, with another before, across, at or behind the border.
LONG = 4096
long_texts = st.builds(
    lambda filler, before, text, behind: filler * before + text + filler * behind,
    st.sampled_from(["x", "a", "Σ", "aB"]),
    st.integers(LONG - 6, LONG + 2),
    texts,
    st.sampled_from([0, 1, 3, 100, LONG]),
)
