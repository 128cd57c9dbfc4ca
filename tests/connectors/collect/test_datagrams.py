"""Syslog over UDP, on real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from connectors.collect.datagrams import DatagramInput
from connectors.collect.intake import Intake
from tests.connectors.collect.conftest import Parts


def send(intake: Intake, datagrams: list[bytes], done: Callable[[], bool]) -> None:
    async def run() -> None:
        listening = DatagramInput(intake)
        await listening.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number, each in enumerate(datagrams):
                sender.sendto(each, ("127.0.0.1", listening.port))
                if number % 100 == 0:
                    await asyncio.sleep(0)
        for _ in range(500):
            if done():
                break
            await asyncio.sleep(0.01)
        await listening.stop()

    asyncio.run(run())


def test_a_burst_arrives_whole(parts: Parts) -> None:
    sent = [b"<34>%d" % number for number in range(10_000)]
    send(parts.intake(), sent, lambda: parts.gathering.lines == len(sent))
    assert parts.lines() == [each.decode() for each in sent]


def test_what_a_datagram_holds_is_one_message(parts: Parts) -> None:
    sent = [b"<34>a\nb\0\r\n", b"", b"\0", b"<34>\xff\xe1\xbb\x87", b'{"a":"\xff"}', b"<34>" + b"x" * 60_000]
    send(parts.intake(), sent, lambda: parts.gathering.lines == 4)
    assert parts.lines() == ["<34>a\nb", "<34>\\xffệ", '{"a":"\\\\xff"}', "<34>" + "x" * 60_000]


def test_what_is_beyond_the_rate_is_refused_and_counted(parts: Parts) -> None:
    intake = parts.intake(rate=100, burst=100)
    send(intake, [b"<34>a"] * 1000, lambda: parts.gathering.lines + intake.counts.get("rate_limited", 0) == 1000)
    assert 100 <= parts.gathering.lines < 600
    assert parts.gathering.lines + intake.counts["rate_limited"] == 1000
    assert parts.actions() == {"rate_limited"}


def test_a_full_spool_refuses_and_counts(parts: Parts) -> None:
    parts.spool.limit = 0
    intake = parts.intake()
    send(intake, [b"<34>a"] * 10, lambda: intake.counts.get("lines_refused") == 10)
    assert intake.counts == {"lines_refused": 10}


def test_spoofed_senders_of_foreign_networks_are_not_taken(parts: Parts) -> None:
    intake = parts.intake(senders={"192.0.2.0/24": "auth"}, otherwise=None)
    send(intake, [b"<34>a"] * 10, lambda: intake.counts.get("sender_refused") is not None)
    assert parts.lines() == []


@pytest.mark.parametrize("flood", [20_000])
def test_memory_stays_bounded_when_many_addresses_are_told_of(parts: Parts, flood: int) -> None:
    intake = parts.intake()
    for number in range(flood):
        intake.note("rate_limited", "over", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(intake.happenings._held) <= 10_001
    assert intake.counts == {"rate_limited": flood}
