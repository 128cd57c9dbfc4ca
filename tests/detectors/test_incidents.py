from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incidents import NAMED, Linking, assigned, chains

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HOW = Linking()


def named(*rows: tuple[str, float, str, str, str]) -> pl.DataFrame:
    """Rows of (finding, hour, rule, level, "host=dc01 user=lan")."""
    made = [
        (finding, *pair.split("=", 1), NOW + timedelta(hours=hour), rule, level)
        for finding, hour, rule, level, names in rows
        for pair in names.split()
    ]
    return pl.DataFrame(made, schema=NAMED, orient="row")


CHAIN = [
    ("a", 0, "scan", "low", "address=192.0.2.7 host=web01"),
    ("b", 1, "shell", "high", "host=web01 user=www-data"),
    ("c", 20, "lateral", "medium", "user=www-data host=dc01"),
    ("d", 90, "late", "high", "host=dc01"),
    ("e", 1, "other", "medium", "host=pc7"),
]


def test_shared_names_within_a_while_make_a_chain_in_order_of_time() -> None:
    assert chains(named(*CHAIN), HOW) == [["a", "b", "c"], ["e"], ["d"]]


@settings(max_examples=20, deadline=None)
@given(st.integers())
def test_order_does_not_matter(seed: int) -> None:
    rows = random.Random(seed).sample(CHAIN, len(CHAIN))  # noqa: S311 - a shuffle
    assert chains(named(*rows), HOW) == chains(named(*CHAIN), HOW)
    assert assigned(named(*rows), HOW, {}, ()) == assigned(named(*CHAIN), HOW, {}, ())


@pytest.mark.parametrize("name", ["host=localhost", "user=SYSTEM", "address=127.0.0.1", "user=-", "address=10.1.1.1"])
def test_what_everybody_has_links_nothing(name: str) -> None:
    how = Linking(stop=HOW.stop | {"10.1.1.1"})  # type: ignore[operator]
    rows = named(("a", 0, "x", "high", f"{name} host=one"), ("b", 0, "y", "high", f"{name} host=two"))
    assert chains(rows, how) == [["a"], ["b"]]


def test_a_name_that_meets_too_many_links_nothing() -> None:
    """An address behind which everybody sits: two would be linked, two hundred would be one incident."""
    rows = [(f"f{n:03}", n / 100, "x", "high", f"address=10.0.0.1 host=pc{n}") for n in range(200)]
    assert len(chains(named(*rows), HOW)) == 200
    assert len(chains(named(*rows[:5]), HOW)) == 1
    same = [*rows, ("again", 1, "y", "high", "host=pc7")]
    assert ["f007", "again"] in chains(named(*same), HOW)


def test_those_who_were_only_tried_link_nothing() -> None:
    tried = " ".join(f"user=u{n}" for n in range(6))
    spray = ("a", 0, "spray", "high", f"address=192.0.2.7 {tried}")
    others = [(f"x{n}", 1, f"r{n}", "medium", f"user=u{n} host=h{n}") for n in range(6)]
    told = chains(named(spray, *others, ("b", 2, "logon", "high", "address=192.0.2.7 host=web01")), HOW)
    assert ["a", "b"] in told
    assert len(told) == 7
    few = ("a", 0, "spray", "high", "address=192.0.2.7 user=u0 user=u1")
    assert chains(named(few, *others[:2]), HOW) == [["a", "x0", "x1"]]


def test_incidents_need_weight() -> None:
    one = named(("a", 0, "x", "high", "host=h"), ("b", 1, "x", "high", "host=h"))
    assert assigned(one, HOW, {}, ()) == []
    (critical,) = assigned(named(("a", 0, "x", "critical", "host=h")), HOW, {}, ())
    assert critical.findings == ("a",)
    low = named(("a", 0, "x", "low", "host=h"), ("b", 1, "y", "low", "host=h"))
    assert assigned(low, HOW, {}, ()) == []


def test_an_incident_grows_while_it_is_open_and_has_a_successor_after_it_was_closed() -> None:
    (first,) = assigned(named(*CHAIN[:2]), HOW, {}, ())
    members = dict.fromkeys(first.findings, first.id)
    assert assigned(named(*CHAIN[:2]), HOW, members, ()) == []  # nothing new
    (grown,) = assigned(named(*CHAIN[:3]), HOW, members, ())
    assert (grown.id, grown.findings, grown.known) == (first.id, ("c",), True)
    more = [*CHAIN[:3], ("f", 21, "dump", "high", "host=dc01")]
    (after,) = assigned(named(*more), HOW, members, {first.id})
    assert (after.follows, after.findings) == (first.id, ("c", "f"))
    assert after.id != first.id
    assert after == assigned(named(*more), HOW, members, {first.id})[0]
