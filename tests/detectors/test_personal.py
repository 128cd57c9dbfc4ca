"""Personal data in free text: found where it is, and not in other digits."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from detectors.personal import mask, personal


def kinds(*texts: str) -> set[str]:
    return {seen.kind for seen in personal(pl.Series(texts, dtype=pl.String), 2026)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("công dân CCCD: 064199001234 nộp hồ sơ", "citizen_id"),
        ('{"so_dinh_danh": "x", "citizen_id": "052204004321"}', "citizen_id"),
        ("số điện thoại 0912345678, gọi lại", "phone"),
        ("sdt=+84912345678", "phone"),
        ("mã BHXH 0123456789", "insurance_number"),
        ("BHYT: TE1520123456789", "insurance_card"),
        ("email: lan@example.org failed", "email"),
    ],
)
def test_a_word_before_it_tells(text: str, kind: str) -> None:
    assert kinds(text) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "CCCD: 000199001234",  # no such province
        "CCCD: 064499001234",  # no such century yet
        "CCCD: 064227001234",  # born in 2027
        "order 064199001234",  # one number without a word
        "id 550e8400-e29b-41d4-a716-064199001234",
        "phone 0123456789",  # no such prefix since 2018
        "root@host logged in from 10.0.0.1",
        "size 0912345678901",
    ],
)
def test_other_digits_are_none(text: str) -> None:
    assert kinds(text) == set()


def test_several_possible_numbers_tell_without_a_word() -> None:
    random = Random(7)  # noqa: S311  tests must be repeatable
    people = [f"tra cuu 0{random.choice((52, 64))}1{random.randrange(60, 99)}{n:06d} xong" for n in range(20)]
    assert kinds(*people) == {"citizen_id"}


def test_numbers_at_random_and_counters_are_no_people() -> None:
    random = Random(1)  # noqa: S311  tests must be repeatable
    noise = [f"id {random.randrange(10**12):012d} no {random.randrange(10**10):010d}" for _ in range(5000)]
    counters = [f"seq {n:012d} at {1_700_000_000 + n}" for n in range(5000)]
    assert kinds(*noise, *counters) == set()


def test_what_is_shown_is_masked() -> None:
    seen = personal(pl.Series(["cccd 064199001234"]), 2026)[0]
    assert (seen.rows, seen.values, seen.example) == (1, 1, "064***34")
    assert mask("123456") == "***"
