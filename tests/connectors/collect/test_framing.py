"""Messages come out of a stream whatever way it is cut, and whatever is sent memory stays bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.collect.framing import Framer

LONGEST = 64

text = st.binary(min_size=1, max_size=90).map(lambda raw: raw.translate(None, b"\r\n\0") or b"x")
pieces = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def fed(framer: Framer, data: bytes, sizes: list[int]) -> list[bytes]:
    found, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += framer.feed(data[at : at + size])
        assert framer.held <= LONGEST + 12
        at, turn = at + size, turn + 1
    return found + framer.end()


@given(st.lists(text, min_size=1, max_size=8), pieces, st.sampled_from([b"\n", b"\r\n", b"\0"]))
def test_lines_come_out_wherever_the_stream_is_cut(lines: list[bytes], sizes: list[int], end: bytes) -> None:
    sent = [b"<34>" + line for line in lines]
    framer = Framer(LONGEST)
    assert fed(framer, end.join(sent) + end, sizes) == [line[:LONGEST] for line in sent]
    assert framer.cut >= sum(max(0, len(line) - LONGEST) for line in sent)


@given(st.lists(st.binary(max_size=90), min_size=1, max_size=8), pieces, st.sampled_from([b"", b"\n"]))
def test_counted_messages_come_out_wherever_the_stream_is_cut(
    bodies: list[bytes], sizes: list[int], end: bytes
) -> None:
    sent = [b"<34>" + body for body in bodies]  # may hold line feeds and NULs
    framer = Framer(LONGEST)
    stream = b"".join(b"%d %b%b" % (len(message), message, end) for message in sent)
    assert fed(framer, stream, sizes) == [message[:LONGEST].rstrip(b"\r\n\0") for message in sent]
    assert framer.cut == sum(max(0, len(message) - LONGEST) for message in sent)


@given(st.binary(max_size=400), pieces)
def test_any_bytes_give_the_same_however_they_are_cut(data: bytes, sizes: list[int]) -> None:
    assert fed(Framer(LONGEST), data, sizes) == fed(Framer(LONGEST), data, [len(data) or 1])


def test_an_endless_line_costs_its_rest_and_nothing_else() -> None:
    framer = Framer(LONGEST)
    found = framer.feed(b"<34>" + b"x" * 100)
    for _ in range(1000):
        found += framer.feed(b"<34>forged in the middle" * 50)
        assert framer.held <= LONGEST
    assert found == [b"<34>" + b"x" * 60]
    assert framer.feed(b"\n<34>next\n") == [b"<34>next"]
    assert framer.cut == 40 + 1000 * 50 * 24


def test_a_huge_count_costs_its_own_stream_only() -> None:
    framer = Framer(LONGEST)
    assert framer.feed(b"999999999 <34>" + b"x" * 100) == [b"<34>" + b"x" * 60]
    assert framer.feed(b"17 <34>not a message") == []
    assert framer.cut == 999999999 - LONGEST


def test_a_number_too_long_for_a_count_is_text() -> None:
    assert Framer(LONGEST).feed(b"9999999999999 <34>a\n") == [b"9999999999999 <34>a"]


def test_a_line_that_begins_with_a_number_is_a_line() -> None:
    assert Framer(LONGEST).feed(b"2026 is a year\n") == [b"2026 is a year"]


def test_after_a_size_that_is_none_the_rest_is_lines() -> None:
    assert Framer(LONGEST).feed(b"5 <34>a<34>b\n<34>c\n") == [b"<34>a", b"<34>b", b"<34>c"]


def test_what_is_held_can_be_shed_and_its_rest_is_left_out() -> None:
    lines = Framer(LONGEST)
    assert lines.feed(b"<34>slow") == []
    assert lines.pending
    assert lines.shed() == [b"<34>slow"]
    assert lines.feed(b"er\n<34>b\n") == [b"<34>b"]
    counted = Framer(LONGEST)
    assert counted.feed(b"10 <34>slo") == []
    assert counted.shed() == [b"<34>slo"]
    assert counted.feed(b"wer7 <34>abc") == [b"<34>abc"]
