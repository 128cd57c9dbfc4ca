"""Which findings were stored is remembered, within bounds."""

from __future__ import annotations

from flows.told import Told


def test_the_last_are_remembered() -> None:
    told = Told(kept=3)
    told.add(["a", "b"])
    told.add(["b", "c", "d"])
    assert [name for name in "abcde" if name in told] == ["b", "c", "d"]
    assert (len(told), [*told]) == (3, ["b", "c", "d"])
    assert not Told()
