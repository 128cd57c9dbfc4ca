"""Random rules and events that meet often: values and texts are made of the same few pieces."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

FIELDS = ["a", "with space", "d.e"]
PIECES = [
    "a",
    "b",
    "A",
    "Σ",
    "ς",
    "İ",
    "đ",
    "Đ",
    "K",
    "\u212a",
    "ß",
    "\n",
    " ",
    "-",
    "/",
    "\u2013",
    "1",
    "0",
    "5",
    ".",
    "😀",
]
ESCAPED = ["\\", "*", "?", "\\*", "\\?", "\\\\"]
NUMBERS = ["0", "1", "5", "5.0", " 5 ", "-1", "05", "1e1", "10", "nan", "9007199254740993", "9007199254740992", "x5"]
OTHERS = [
    "",
    "true",
    "False",
    "10.0.0.1",
    "::1",
    "0:0::1",
    "::ffff:10.0.0.1",
    "2024-05-06T03:04:05Z",
    "2020-12-31",
    "YWI=",
    "/x",
    "-x",
    "-a /b",
    "*",
    "a*",
    "\\",
    "ab",
    "AB",
]

texts = st.one_of(
    st.lists(st.sampled_from(PIECES + ESCAPED[:3]), max_size=3).map("".join),
    st.lists(st.sampled_from(PIECES[:6]), max_size=6).map("".join),
    st.sampled_from(NUMBERS + OTHERS),
)
events = st.fixed_dictionaries(
    {name: st.one_of(texts, texts, st.none(), st.lists(st.one_of(st.none(), texts), max_size=3)) for name in FIELDS}
)
_ends = st.sampled_from(["", "*", "?", "\\*", "**"])
patterns = st.one_of(texts, st.tuples(_ends, texts, _ends).map("".join), st.tuples(texts, _ends, texts).map("".join))
plain = st.lists(st.sampled_from(PIECES), min_size=3, max_size=6).map("".join)
numbers = st.sampled_from([0, 1, 5, -1, 10, 5.5, 9007199254740993])
scalars = st.one_of(patterns, patterns, patterns, numbers, st.booleans(), st.none())
regexes = st.sampled_from(
    ["a", "^a", "b$", "a.b", "[ab]1", "a|b", "(?:ab)+", "a?b*", r"\d", r"\w-", r"\.", "", "a{2}", "[^a]", r"\s", "A.?"]
)
networks = st.sampled_from(["10.0.0.0/8", "::1/128", "10.0.0.1", "::/0", "0.0.0.0/0"])


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


def _item(modifiers: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    key = st.tuples(
        st.sampled_from(FIELDS), st.sampled_from(modifiers), st.sampled_from(["", "", "|all", "|neq", "|neq|all"])
    )
    return st.tuples(key.map("".join), _some(values))


_shapes = ["|contains", "|startswith", "|endswith"]
fields = st.one_of(
    _item([""], scalars),
    _item([*_shapes, "|cased", "|cased|contains", "|endswith|cased"], patterns),
    _item(["|re", "|re|i", "|re|m", "|re|s", "|re|i|s"], regexes),
    _item(["|gt", "|gte", "|lt", "|lte"], numbers),
    _item(["|cidr"], networks),
    _item(["|exists"], st.booleans()),
    _item(["|fieldref", *("|fieldref" + shape for shape in _shapes)], st.sampled_from(FIELDS)),
    _item(["|hour", "|day|gte", "|week", "|year|lt", "|minute|gt"], st.integers(0, 60)),
    _item(
        ["|base64", "|base64offset|contains", "|wide|base64", "|utf16be|base64offset|contains", "|utf16|base64"], plain
    ),
    _item(
        ["|windash", "|windash|contains", "|contains|windash"],
        st.sampled_from(["-x", "/x", "-a -b", "a-b", " - ", "-*", "?-x"]),
    ),
)
keywords = st.one_of(patterns.filter(lambda text: text.strip("*") != ""), st.integers(0, 99))
maps = st.lists(fields, min_size=1, max_size=3).map(dict)
parts = st.one_of(
    maps,
    maps,
    st.lists(maps, min_size=1, max_size=2),
    st.lists(keywords, min_size=1, max_size=3),
    keywords,
    st.lists(st.one_of(maps, keywords), min_size=1, max_size=2),
    st.lists(keywords, min_size=1, max_size=2).map(lambda values: {"|all": values}),
)
names = st.sampled_from(["sel", "sel_2", "sel-3", "_own", "filter"])


@st.composite
def detections(draw: st.DrawFn) -> dict[str, Any]:
    """Return a detection section: a few parts and a condition over them."""
    section: dict[str, Any] = {"sel": draw(parts), **draw(st.dictionaries(names, parts, max_size=3))}
    known = sorted(section)
    leaf = st.sampled_from([*known, "1 of sel*", "all of sel*", "all of them", "1 of them", "any of s*"])
    tree = st.recursive(
        leaf,
        lambda inner: st.one_of(
            inner.map("not {}".format),
            inner.map("({})".format),
            st.tuples(inner, inner).map(" and ".join),
            st.tuples(inner, inner).map(" or ".join),
        ),
        max_leaves=5,
    )
    section["condition"] = draw(st.one_of(tree, st.lists(tree, min_size=1, max_size=2)))
    return section
