"""Patterns run as machine code find what Polars finds, whatever the pattern and the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import warm
from connectors.definitions import BUILT_IN, load_definitions
from connectors.formats import access, cisco, daemon, haproxy, header, modern, syslog
from connectors.mapping import Extraction
from connectors.patterns.fit import Fit, fit
from connectors.patterns.program import program

pytestmark = pytest.mark.usefixtures("machine_code")
LETTERS = ["a", "b", "1", " ", "_", "-", r"\.", "ă", r"\n"]
KINDS = [".", r"\d", r"\w", r"\s", r"\S", r"\W", r"[\w-]", r"[^\s=]", r"[^\d]"]
CLASSES = [*KINDS, "[ab]", "[^a]", "[^ab1]", "[a-c1]", "[ăb]"]
PLACES = ["^", "$", r"\b", r"\B"]
TEXTS = st.text(st.sampled_from("aaabb1 _-.=\nă\u00a0\u1680ạ٣K"), max_size=12)
ATOMS = st.sampled_from([*LETTERS, *CLASSES, *PLACES])


def _repeated(part: str, times: str) -> str:
    return part if part in PLACES else f"(?:{part}){times}"


PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})"),
        st.builds(_repeated, inner, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?"])),
        inner.map(lambda part: f"(@{part})"),
        st.sampled_from([r"(?:[^b]|b.)*", r"(?:[^b1]|b(@a)?)*", "ab-", ".*?ab", "(?:a|-b)*"]),
    ),
    max_leaves=10,
)
FLAGS = st.sampled_from(["", "", "(?s)", "(?i)", "(?s)^", "(?m)", "(?mi)^"])


def _named(pattern: str) -> str:
    numbers = count()
    return "".join(f"(?P<g{next(numbers)}>" if part == "(@" else part for part in _pieces(pattern))


def _pieces(pattern: str) -> list[str]:
    return [piece for part in pattern.split("(@") for piece in ("(@", part)][1:]


def both(texts: Sequence[str | None], *patterns: str) -> tuple[Fit, Fit]:
    series = pl.Series("t", texts, pl.String)
    found = []
    for few in (1 << 30, 0):
        warm.WARMTH.few = few
        found.append(fit(series, patterns))
    return found[0], found[1]


@settings(deadline=None, max_examples=150)
@given(
    st.builds(lambda flags, text: flags + _named(text), FLAGS, PATTERNS),
    st.lists(TEXTS | st.none(), min_size=1, max_size=6),
)
def test_what_polars_finds(pattern: str, texts: list[str | None]) -> None:
    patterns, machines = both(texts, pattern)
    assert machines.which.tolist() == patterns.which.tolist()
    assert machines.columns.to_dicts() == patterns.columns.to_dicts()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(["^a(?P<x>b)", "(?P<y>a+)1", "ab1(?P<x>.)", "(?P<z>b)$", "ă"]), max_size=4),
    st.lists(TEXTS),
)
def test_the_first_of_patterns_counts(patterns: list[str], texts: list[str]) -> None:
    by_polars, machines = both(texts, *patterns)
    assert machines.which.tolist() == by_polars.which.tolist()
    assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


@settings(deadline=None, max_examples=60)
@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, min_size=2, max_size=4), st.lists(TEXTS, min_size=1))
def test_patterns_that_begin_alike(heads: list[str], tails: list[str], texts: list[str]) -> None:
    """Each pattern begins with more or less of the same, so that texts are read once as far as that goes."""
    heads = [f"{head}-" for head in heads]
    patterns = [_named("^" + "".join(heads[place % 3 :: -1][::-1]) + tail) for place, tail in enumerate(tails)]
    by_polars, machines = both(texts, *patterns)
    assert machines.which.tolist() == by_polars.which.tolist()
    assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


def test_a_beginning_that_can_be_read_in_several_ways_is_read_anew() -> None:
    patterns = ["^(?P<a>.+)-(?P<b>c)$", "^(?P<a>.+)-b(?P<c>.*)$", "^(?P<a>.+)-(?P<d>.*)d$"]
    by_polars, machines = both(["a-b-b-c", "a-b-b", "a-b-x", "a-d", "a-e"], *patterns)
    assert by_polars.which.tolist() == [0, 1, 1, 2, -1]
    assert machines.which.tolist() == by_polars.which.tolist()
    assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


def test_what_was_read_stays_read_when_a_pattern_further_on_fails() -> None:
    patterns = ["^(?P<a>.) (?P<b>.) 1 x", "^(?P<a>.) (?P<b>.) 1 y", "^(?P<a>.) (?P<c>.) 2", "^(?P<a>.) (?P<d>.) 3"]
    by_polars, machines = both(["a b 1 x", "a b 1 y", "a b 2", "a b 3", "a b 4", "ab"], *patterns)
    assert by_polars.which.tolist() == [0, 1, 2, 3, -1, -1]
    assert machines.which.tolist() == by_polars.which.tolist()
    assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


@pytest.mark.parametrize("gap", [0, 1, 30, 31, 32, 33, 63, 64, 200])
def test_a_text_is_found_wherever_it_stands(gap: int) -> None:
    texts = ["x" * gap + "key=1", "x" * gap + "ke", "x" * gap + "k\nkey=2", "ke" * gap + "key=3", "key" * gap]
    for pattern in ("key=(?P<v>.)", "^.*?key=(?P<v>.)", r"(?s)^.*?\Bkey=(?P<v>.)", "x(?P<v>k)"):
        by_polars, machines = both(texts, pattern)
        assert machines.which.tolist() == by_polars.which.tolist()
        assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


def test_wanted_groups_are_made() -> None:
    found = fit(pl.Series(["a=1"]), (r"(?P<key>\w+)=(?P<value>\d)",), {"value"})
    assert found.columns.to_dicts() == [{"value": "1"}]


@pytest.mark.parametrize("few", [1 << 30, 0])
def test_an_empty_group_is_null_where_all_are_to_be_filled(few: int) -> None:
    warm.WARMTH.few = few
    texts = pl.Series(["a=1", "a=", "\u0661=", None])  # the last digit only Polars knows
    found = fit(texts, (r"^(?P<key>\w+)=(?P<value>\d*)$",), filled=True)
    assert found.which.tolist() == [0, 0, 0, -1]
    assert found.columns["value"].to_list() == ["1", None, None, None]


@pytest.mark.parametrize("size", range(9))
def test_a_lazy_run_ends_where_what_follows_begins(size: int) -> None:
    texts = ["a" * size + "1b", "a" * size + "\n1b", "ă" * size + "1b", "a" * size + "1a1b", "a" * size]
    by_polars, machines = both(texts, "^(?P<a>.*?)(?:1b|2c)", "(?s)^(?P<a>.+?)(?:1b|2c)")
    assert machines.which.tolist() == by_polars.which.tolist()
    assert machines.columns.to_dicts() == by_polars.columns.to_dicts()


def test_a_text_that_would_take_for_ever_is_left_to_polars() -> None:
    texts = pl.Series(["a" * 3_000, "a" * 3_000 + "b"])
    assert fit(texts, ("^(?:(?:a|aa)(?:a|aa))*b",)).which.tolist() == [-1, 0]


def test_the_patterns_of_the_product_are_known() -> None:
    own = [access.USUAL, access.LINE, syslog.CLASSIC, modern.LINE, header.HEAD, cisco.MESSAGE]
    own += [*haproxy.Haproxy.patterns, daemon.LINE]
    for definition in load_definitions([BUILT_IN]).values():
        own += [each.pattern for step in definition.steps if isinstance(step, Extraction) for each in step.patterns]
    assert len(own) > 500
    assert [pattern for pattern in own if program((pattern,), ()) is None] == []
