"""Ends of lines are found wherever they stand, also where there are more than there was room for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectors.breaks import breaks, note


@given(st.lists(st.sampled_from([b"", b"a", b"\r", b"x" * 31, b"y" * 32, b"z" * 200]), max_size=40), st.booleans())
def test_every_line_feed_is_found(lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + b"\n" * ended
    expected = [at for at, byte in enumerate(data) if byte == ord("\n")]
    assert breaks(np.frombuffer(data, np.uint8)).tolist() == expected


def test_nothing_is_written_beyond_the_room() -> None:
    data, found = np.full(100, ord("\n"), np.uint8), np.zeros(8, np.int64)
    assert note(data, found[:3]) == 100
    assert found.tolist() == [0, 1, 2, 0, 0, 0, 0, 0]
