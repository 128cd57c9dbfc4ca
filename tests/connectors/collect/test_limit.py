from __future__ import annotations

import pytest

from connectors.collect.limit import RateLimit


def test_a_sender_may_send_a_burst_and_then_its_rate() -> None:
    limit = RateLimit(rate=10, burst=50)
    assert limit.take("a", 100, now=0.0) == 50
    assert limit.take("a", 100, now=0.0) == 0
    assert limit.take("b", 1, now=0.0) == 1
    assert limit.take("a", 100, now=1.0) == 10
    assert limit.take("a", 100, now=100.0) == 50


def test_who_can_be_held_up_waits_for_what_it_sent_too_much() -> None:
    limit = RateLimit(rate=10, burst=10)
    assert limit.owe("a", 10, now=0.0) == 0
    assert limit.owe("a", 20, now=0.0) == pytest.approx(2.0)
    assert limit.owe("a", 0, now=2.0) == 0


def test_no_rate_is_no_limit() -> None:
    limit = RateLimit(0)
    assert limit.take("a", 10**9, 0.0) == 10**9
    assert limit.owe("a", 10**9, 0.0) == 0


def test_senders_beyond_the_bound_make_the_oldest_forgotten() -> None:
    limit = RateLimit(rate=1, burst=1, senders=100)
    for number in range(1000):
        limit.take(str(number), 1, now=0.0)
    assert len(limit._buckets) == 100
    assert limit.take("999", 1, now=0.0) == 0
    assert limit.take("0", 1, now=0.0) == 1
