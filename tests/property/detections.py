"""Random detection sections: every modifier, alone and in chains, and every form that parts and conditions take."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

from hypothesis import strategies as st

from tests.property import values
from tests.property.events import FIELDS
from tests.property.reference_texts import Lists
from tests.property.values import even

LISTS = Lists({"names": ["a", "B*", "Σ"], "dashes": ["-x", "a-b", "?"]})  # placeholders that rules may use
Item = tuple[str, Any]  # `field|modifier|…` and its values

_SHAPES = [[], ["contains"], ["startswith"], ["endswith"]]
_CASED = [[], ["cased"]]
_ENCODINGS = [["wide"], ["utf16le"], ["utf16be"], ["utf16"]]
_BASE64 = [["base64"], ["base64", "contains"], ["base64offset", "contains"], ["base64offset", "contains", "cased"]]
_FLAGS = [[], ["i"], ["m"], ["s"], ["i", "s"], ["s", "m"], ["ignorecase"], ["multiline"], ["dotall"], ["contains"]]
_COMPARE = [["gt"], ["gte"], ["lt"], ["lte"]]
_PARTS = [["minute"], ["hour"], ["day"], ["week"], ["month"], ["year"]]
_LINKING: list[list[str]] = [*[[]] * 5, ["all"], ["neq"], ["all", "neq"]]
_holding = st.sampled_from(["%names%", "a%names%", "%dashes%", "%names%%dashes%", r"\%a%names%", "*%names%b", "a"])
_fields = st.sampled_from([*["a", "with space", "d.e"] * 2, "a", *FIELDS])


def _chains(*parts: list[list[str]], mixed: bool = False) -> list[str]:
    """Return all chains that take one of each part, in this order or (mixed) in any, with `all` and `neq` anywhere."""
    joined = [[name for part in chosen for name in part] for chosen in product(*parts)]
    ordered = [list(order) for chain in joined for order in (permutations(chain) if mixed else [chain])]
    linked = [
        [*chain[:place], *linking, *chain[place:]]
        for linking in _LINKING
        for chain in ordered
        for place in range(len(chain) + 1)
    ]
    return ["".join(f"|{name}" for name in chain) for chain in linked]


def _item(
    chains: list[str], one: st.SearchStrategy[Any], named: st.SearchStrategy[str] = _fields
) -> st.SearchStrategy[Item]:
    """Return items of any of these fields and chains; `all` is of several values."""
    every = [chain for chain in chains if "all" in chain.split("|")]
    rest = [chain for chain in chains if chain not in every]
    several = st.lists(one, min_size=2, max_size=3)
    loose = st.tuples(_key(named, rest), even(one, one, several))
    return even(loose, loose, loose, st.tuples(_key(named, every), several)) if every else loose


def _key(named: st.SearchStrategy[str], chains: list[str]) -> st.SearchStrategy[str]:
    return st.tuples(named, st.sampled_from(chains)).map("".join)


_none: list[list[str]] = [[]]
_many = st.lists(values.texts, min_size=17, max_size=20)  # enough for a multi-pattern search
_any_text = _chains(_SHAPES, _CASED, mixed=True)
_coded = st.sampled_from(["with space", "with space", "with space", "a"])
_timed = st.sampled_from(["d.e", "when", "when", "alias"])
_items = even(
    _item(_chains(_none), values.scalars),
    _item(_chains(_none), values.scalars),
    _item(_any_text, values.patterns),
    _item(_any_text, values.patterns),
    st.tuples(_key(_fields, _chains(_SHAPES)), _many),
    st.tuples(_key(_fields, ["", "|neq"]), st.none()),
    _item(_chains(_SHAPES, _CASED, [["windash"]], mixed=True), values.dashed, _coded),
    _item(_chains(_SHAPES, _CASED, [["expand"]], mixed=True), _holding),
    _item(_chains([[], *_ENCODINGS], _BASE64), values.plain, _coded),
    _item(_chains(_ENCODINGS, _SHAPES), even(values.plain, values.patterns), _coded),
    _item(_chains([["re"]], _FLAGS), values.regexes),
    _item(_chains([["re", "expand"]]), st.sampled_from(["^%names%", "%dashes%$", "%names%|b"])),
    _item(_chains(_COMPARE), values.numbers, st.sampled_from(["d.e", "d.e", "n", "n", "a", "when"])),
    _item(_chains([["cidr"]]), values.networks, st.sampled_from(["other", "other", "other", "alias", "a"])),
    _item(_chains([["exists"]]), st.booleans()),
    _item(_chains([["fieldref"]], _SHAPES), st.sampled_from(FIELDS)),
    _item(_chains(_PARTS, [[], *_COMPARE]), st.sampled_from([3, 4, 5, 6, 12, 19, 23, 2020, 2024]), _timed),
)
_words = even(values.patterns, values.numbers)
_nameless = even(
    _item(["|all", "|cased", "|contains", "|cased|all", "|neq", "|startswith|cased"], values.patterns, st.just("")),
    _item(_chains([["re"]], _FLAGS), values.regexes, st.just("")),
    _item(["|windash", "|windash|all"], values.dashed, st.just("")),
    _item(["|expand", "|expand|cased"], _holding, st.just("")),
    _item(_chains([[], *_ENCODINGS], _BASE64), values.plain, st.just("")),
)
_keywords = even(_words, st.lists(_words, min_size=1, max_size=3), _nameless.map(lambda item: dict([item])))
_maps = even(
    st.lists(_items, min_size=1, max_size=3).map(dict),
    st.lists(_items, min_size=1, max_size=2).map(dict),
    st.lists(even(_items, _items, _nameless, st.tuples(st.just(""), _words)), min_size=1, max_size=3).map(dict),
)
_parts = even(
    _maps,
    _maps,
    _maps,
    st.lists(_maps, min_size=1, max_size=3),
    _keywords,
    st.lists(even(_maps, _words), min_size=1, max_size=2),
    st.lists(st.lists(_words, min_size=1, max_size=2), min_size=1, max_size=2),
)
_names = st.sampled_from(["sel_2", "sel-3", "_own", "notepad", "filter", "4"])
_sections = st.builds(
    lambda first, others: {"sel": first, **others}, _parts, st.dictionaries(_names, _parts, max_size=3)
)
_selectors = ["1 of sel*", "all of sel*", "all of them", "1 of them", "any of s*", "1 of *", "all of *el*"]
_LEAVES = 12
_tree = st.recursive(
    st.sampled_from([f"{{{number}}}" for number in range(_LEAVES)]),
    lambda inner: even(
        inner.map("({})".format),
        st.tuples(inner, inner).map(" and ".join),
        st.tuples(inner, inner).map(" and ".join),
        st.tuples(inner, inner).map(" and not ".join),
        inner.map("not {}".format),
        st.tuples(inner, inner).map(" or ".join),
    ),
    max_leaves=5,
)


def _section(parts: dict[str, Any], trees: list[str]) -> dict[str, Any]:
    """Put names of the parts, and selectors of them, where a condition has its leaves."""
    known = [*parts, *parts, *_selectors]
    leaves = [known[number % len(known)] for number in range(_LEAVES)]
    conditions = [tree.format(*leaves) for tree in trees]
    return {**parts, "condition": conditions if len(conditions) > 1 else conditions[0]}


_many_parts = st.builds(_section, _sections, even(*[st.tuples(_tree)] * 4, st.tuples(_tree, _tree)))
_one_item = st.builds(
    lambda item, condition: {"sel": dict([item]), "condition": condition},
    _items,
    st.sampled_from(["sel", "sel", "sel", "not sel"]),
)
detections = even(_one_item, _many_parts)  # what one item says may be lost among many
# of plain texts, which the plain evaluator finds in long values in no time
_sought = values.texts.filter(lambda text: not set("*?") & set(text))
searches = st.builds(
    lambda item: {"sel": dict([item]), "condition": "sel"},
    even(_item(_any_text, _sought, st.just("a")), _item(["|all", "|cased"], _sought, st.just(""))),
)
