"""Syslog over TCP and TLS, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from connectors.collect import tls
from connectors.collect.intake import Intake
from connectors.collect.stream import StreamInput
from tests.connectors.collect.conftest import Parts
from tests.integration.certificates import certify

Talk = Callable[[StreamInput], Awaitable[None]]


def talk(intake: Intake, talking: Talk) -> StreamInput:
    """Listen while somebody talks, then stop in good order."""

    async def run() -> StreamInput:
        listening = StreamInput(intake)
        await listening.start()
        try:
            await asyncio.wait_for(talking(listening), 60)
        finally:
            await listening.stop()
        return listening

    return asyncio.run(run())


async def until(condition: Callable[[], bool], listening: StreamInput | None = None) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
        if listening is not None:
            listening.tick(time.monotonic())
    pytest.fail("nothing happened")


def send(data: bytes) -> Talk:
    async def talking(listening: StreamInput) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(data)
        await writer.drain()
        writer.close()
        await until(lambda: not listening.streams and listening.intake.gathering.lines > 0)

    return talking


@pytest.mark.parametrize("data", [b"<34>a\n<34>b\n", b"5 <34>a5 <34>b", b"<34>a\r\n<34>b"])
def test_both_framings_arrive_with_origin_and_time(parts: Parts, data: bytes) -> None:
    before = int(time.time() * 1000)
    talk(parts.intake(), send(data))
    ((topic, envelope),) = parts.envelopes()
    assert topic == "soc.raw.syslog"
    assert envelope.lines == ("<34>a", "<34>b")
    assert envelope.origin == "col01/tcp:127.0.0.1"
    assert envelope.told == ("col01", "tcp", "127.0.0.1", None, None)
    assert envelope.id is not None
    assert before <= envelope.received <= time.time() * 1000


def test_the_network_of_the_sender_chooses_the_source(parts: Parts) -> None:
    talk(parts.intake(senders={"127.0.0.0/8": "auth", "127.0.0.1/32": "cisco_asa"}), send(b"<34>a\n"))
    ((topic, _),) = parts.envelopes()
    assert topic == "soc.raw.cisco_asa"


def test_who_is_in_no_network_is_refused_and_told_of(parts: Parts) -> None:
    async def talking(listening: StreamInput) -> None:
        reader, _ = await asyncio.open_connection("127.0.0.1", listening.port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""

    talk(parts.intake(senders={"10.0.0.0/8": "auth"}, otherwise=None), talking)
    assert parts.actions() == {"sender_refused"}
    assert parts.told[0]["sender"] == "127.0.0.1"


def test_thousands_of_senders_at_once(parts: Parts) -> None:
    count = 2_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * count + 200:
        pytest.skip(f"this test opens {2 * count} sockets, the system allows {hard} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 200, hard))

    async def talking(listening: StreamInput) -> None:
        sockets = []
        for number in range(count):
            sockets.append(socket.create_connection(("127.0.0.1", listening.port)))
            sockets[-1].sendall(b"<34>from %d, " % number)
            if number % 50 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(listening.streams) == count)
        for each in sockets:
            each.sendall(b"whole\n")
        await until(lambda: listening.intake.gathering.lines == count)
        for each in sockets:
            each.close()

    talk(parts.intake(), talking)
    assert sorted(parts.lines()) == sorted(f"<34>from {number}, whole" for number in range(count))


def test_connections_are_bounded_for_one_and_for_all(parts: Parts) -> None:
    async def talking(listening: StreamInput) -> None:
        kept = [await asyncio.open_connection("127.0.0.1", listening.port) for _ in range(5)]
        await until(lambda: listening.intake.counts.get("connection_refused") == 3)
        assert len(listening.streams) == 2
        del kept

    talk(parts.intake(of_one=2), talking)


def test_a_sender_over_its_rate_is_slowed_and_loses_nothing(parts: Parts) -> None:
    async def talking(listening: StreamInput) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"".join(b"<34>%d\n" % number for number in range(1000)))
        await until(lambda: listening.intake.gathering.lines == 1000, listening)
        writer.write(b"<34>1000\n")
        for _ in range(30):
            await asyncio.sleep(0.01)
            listening.tick(time.monotonic())
        assert listening.intake.gathering.lines == 1000  # it owes ten seconds

    talk(parts.intake(rate=100), talking)
    assert parts.lines() == [f"<34>{number}" for number in range(1001)]
    assert parts.actions() == {"rate_limited"}


def test_a_full_spool_makes_senders_wait(parts: Parts) -> None:
    parts.spool.limit = 1

    async def talking(listening: StreamInput) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"<34>first\n")
        await until(lambda: listening.intake.gathering.lines == 1)
        parts.gathering.write()
        assert parts.gathering.full
        writer.write(b"<34>second\n")
        await until(lambda: listening.intake.gathering.lines == 2)
        writer.write(b"<34>third\n")
        for _ in range(30):
            await asyncio.sleep(0.01)
            listening.tick(time.monotonic())
        assert listening.intake.gathering.lines == 2
        parts.spool.limit = 1 << 20
        await until(lambda: listening.intake.gathering.lines == 3, listening)

    talk(parts.intake(), talking)


def test_a_message_that_does_not_end_is_taken_as_far_as_it_came(parts: Parts) -> None:
    async def talking(listening: StreamInput) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        for _ in range(100):
            writer.write(b"x")
            await asyncio.sleep(0.01)
            listening.tick(time.monotonic())
            if not listening.streams:
                return
        pytest.fail("it waits for ever")

    talk(parts.intake(patience=0.2), talking)
    assert set(parts.lines()[0]) == {"x"}
    assert parts.actions() == {"message_unfinished"}


def test_an_endless_message_is_cut_and_told_of(parts: Parts) -> None:
    talk(parts.intake(longest=1000), send(b"<34>" + b"x" * 500_000 + b"\n<34>next\n"))
    assert parts.lines() == ["<34>" + "x" * 996, "<34>next"]
    assert parts.told[0]["action"] == "message_cut"
    assert parts.told[0]["count"] == 499_004


def secured(listening: StreamInput, context: ssl.SSLContext, data: bytes, wait: float = 0.5) -> None:
    with (
        socket.create_connection(("127.0.0.1", listening.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        wrapped.sendall(data)
        wrapped.settimeout(wait)
        try:
            wrapped.recv(1)
        except TimeoutError:
            return


def test_tls_with_the_senders_certificate_in_the_origin(parts: Parts, tmp_path: Path) -> None:
    own = certify(tmp_path)
    context = tls.context(own, tmp_path / "server.key", own)
    client = ssl.create_default_context(cafile=str(own))
    client.load_cert_chain(own, tmp_path / "server.key")

    async def talking(listening: StreamInput) -> None:
        await asyncio.to_thread(secured, listening, client, b"5 <34>a")
        await until(lambda: not listening.streams)

    talk(parts.intake(secure=context), talking)
    ((_, envelope),) = parts.envelopes()
    assert (envelope.origin, envelope.lines) == ("col01/tls:127.0.0.1[localhost]", ("<34>a",))


def test_tls_refuses_who_has_no_certificate_and_who_speaks_something_else(parts: Parts, tmp_path: Path) -> None:
    own = certify(tmp_path)
    context = tls.context(own, tmp_path / "server.key", own)
    client = ssl.create_default_context(cafile=str(own))

    async def talking(listening: StreamInput) -> None:
        with contextlib.suppress(OSError):  # whether the refusal arrives before we hang up is chance
            await asyncio.to_thread(secured, listening, client, b"<34>without a certificate\n", 20)
        _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"<34>without TLS\n")
        await until(lambda: listening.intake.counts.get("tls_refused") == 2)
        assert not listening.streams

    talk(parts.intake(secure=context), talking)
    assert parts.lines() == []
    assert "tls_refused" in parts.actions()
