from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.envelope import MAX_BYTES, MAX_LINES, Envelope, TooLong, pack, unpack, words
from detectors.errors import InputError


@given(st.lists(st.text()), st.text(max_size=1024))
def test_what_is_packed_is_unpacked(lines: list[str], origin: str) -> None:
    found = [unpack(value) for value in pack(lines, origin) if isinstance(value, bytes)]
    assert [line for envelope in found for line in envelope.lines] == lines
    assert {envelope.origin for envelope in found} <= {origin}


def test_envelopes_keep_to_the_bound_and_the_order() -> None:
    lines = [str(number) + "\x00" * 50_000 for number in range(40)]  # JSON makes six characters of each NUL
    values = list(pack(lines, "o"))
    assert len(values) > 10
    assert all(isinstance(value, bytes) and len(value) <= MAX_BYTES for value in values)
    assert [line for value in values if isinstance(value, bytes) for line in unpack(value).lines] == lines


def test_a_line_that_just_fits_is_packed_and_one_byte_more_is_not() -> None:
    room = MAX_BYTES - len(next(v for v in pack([""], "o") if isinstance(v, bytes)))
    (fits,) = pack(["x" * room], "o")
    assert isinstance(fits, bytes)
    assert len(fits) == MAX_BYTES
    assert list(pack(["x" * (room + 1)], "o")) == [TooLong(0, "x" * (room + 1))]


def test_a_line_too_long_comes_out_in_its_place() -> None:
    long = "x" * MAX_BYTES
    before, refused, after = pack(["a", long, "b"], "o")
    assert isinstance(before, bytes)
    assert isinstance(after, bytes)
    assert (unpack(before).lines, refused, unpack(after).lines) == (("a",), TooLong(1, long), ("b",))


def test_many_short_lines_make_several_envelopes() -> None:
    sizes = [len(unpack(value).lines) for value in pack(["x"] * (MAX_LINES + 1), "o") if isinstance(value, bytes)]
    assert sizes == [MAX_LINES, 1]


def test_half_a_surrogate_pair_is_put_in_words() -> None:
    (value,) = pack(["a\udc80"], "\ud800")
    assert isinstance(value, bytes)
    assert unpack(value) == Envelope("\\ud800", ("a\\udc80",))
    assert words("a\udc80") == "a\\udc80"


def test_no_lines_make_no_envelope() -> None:
    assert list(pack([], "o")) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "isn't JSON"),
        (b"\xff\xfe", "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b"[]", "isn't a JSON object"),
        (b"{}", "version None is unknown"),
        (b'{"v":2,"origin":"","lines":[]}', "version 2 is unknown"),
        (b'{"v":1,"origin":7,"lines":[]}', "origin"),
        (b'{"v":1,"origin":"%b","lines":[]}' % (b"x" * 1025), "origin"),
        (b'{"v":1,"origin":"","lines":"a"}', "lines aren't"),
        (b'{"v":1,"origin":"","lines":["a",1]}', "lines aren't"),
        (orjson.dumps({"v": 1, "origin": "", "lines": [""] * (MAX_LINES + 1)}), "10,001 lines"),
        (b" " * (MAX_BYTES + 1), "900,001 bytes"),
    ],
)
def test_what_is_no_envelope_says_why(value: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        unpack(value)
