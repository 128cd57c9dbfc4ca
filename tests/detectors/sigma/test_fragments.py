"""The sieve lets everything through that holds one of the texts."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from detectors.sigma.fragments import sieve

TEXTS = st.lists(st.text("abC:.$[]-^ ", min_size=1, max_size=6), min_size=1, max_size=6)


@given(TEXTS, st.text("aBc:$", max_size=3), st.booleans())
def test_whatever_holds_a_text_passes(texts: list[str], around: str, upper: bool) -> None:
    pattern = sieve(texts)
    if pattern is not None:
        lines = pl.Series([around + (text.upper() if upper else text.lower()) + around for text in texts])
        assert lines.str.contains(pattern).all()


def test_few_fragments_stand_for_many_texts() -> None:
    assert sieve(["lsadump::", "misc::skeleton", "kerberos::ptt"]) == "(?i-u)::"
    assert sieve(["lsadump::", "gentilkiwi.com", "kiwi legit"]) == "(?i-u)kiwi|adump::"
    assert sieve(["perfc.dat"]) == r"(?i-u)rfc\.dat"


def test_what_upper_and_lower_case_can_spell_in_too_many_ways_is_not_worth_a_sieve() -> None:
    texts = ["abc", "def", "ghi", "jkl", "mno", "pqr", "stu", "vwx", "yza"]
    assert sieve(texts[:8]) == "(?i-u)abc|def|ghi|jkl|mno|pqr|stu|vwx"
    assert sieve(texts) is None
    assert sieve(["-a-", *texts[:7], "1.2.3.4"]) == r"(?i-u)1\.2\.3\.4|\-a\-|abc|def|ghi|jkl|mno|pqr|stu"


def test_many_texts_without_anything_in_common_are_not_worth_a_sieve() -> None:
    assert sieve([f"{number:02}" for number in range(17)]) is None
    assert sieve([f"{number}::" for number in range(100_000)]) is None
    assert sieve([]) is None
