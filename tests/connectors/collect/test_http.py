"""Lines by HTTP, asked by real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
from collections.abc import Awaitable, Callable

import orjson
import pytest

from connectors.collect import http as module
from connectors.collect.http import Access, HttpInput
from connectors.collect.intake import Intake
from tests.connectors.collect.conftest import Parts

TOKEN = "0123456789abcdef0123456789abcdef"
ACCESS = Access({"old": "fedcba9876543210", "winlogbeat": TOKEN}, ("portal",), body=10_000)
Answer = tuple[int, dict[str, str], dict[str, object]]


def listen(intake: Intake, talking: Callable[[HttpInput], Awaitable[None]], *, durable: bool = True) -> None:
    async def safe() -> bool:
        return durable and intake.gathering.write()

    async def run() -> None:
        listening = HttpInput(intake, ACCESS, safe)
        await listening.start()
        try:
            await asyncio.wait_for(talking(listening), 30)
        finally:
            await listening.stop()

    asyncio.run(run())


def request(body: bytes, path: str = "/portal", token: str = TOKEN, method: str = "POST", **headers: str) -> bytes:
    shown = {"Host": "c", "Authorization": f"Bearer {token}", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in shown.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, orjson.loads(body)


def ask(parts: Parts, data: bytes, intake: Intake | None = None, *, durable: bool = True) -> Answer:
    answers: list[Answer] = []

    async def talking(listening: HttpInput) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(data)
        answers.append(await read(reader))
        writer.close()

    listen(intake or parts.intake(), talking, durable=durable)
    return answers[0]


def test_lines_are_taken_before_they_are_acknowledged(parts: Parts) -> None:
    status, _, answer = ask(parts, request(b'{"a":1}\r\n\n{"a":2}'))
    assert (status, answer) == (200, {"accepted": 2})
    ((topic, envelope),) = parts.envelopes()
    assert (topic, envelope.origin) == ("soc.raw.portal", "col01/http:127.0.0.1[winlogbeat]")
    assert envelope.lines == ('{"a":1}', '{"a":2}')


def test_one_connection_asks_again_and_again(parts: Parts) -> None:
    async def talking(listening: HttpInput) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        for number in range(5):
            writer.write(request(b"%d\n" % number))
            assert (await read(reader))[0] == 200
        writer.close()

    listen(parts.intake(), talking)
    assert parts.lines() == list("01234")


def test_gzip_is_unpacked_within_bounds(parts: Parts) -> None:
    assert ask(parts, request(gzip.compress(b"a\nb\n"), Content_Encoding="gzip"))[0] == 200
    assert ask(parts, request(gzip.compress(b"a" * 10_000_000), Content_Encoding="gzip"))[0] == 413
    assert ask(parts, request(gzip.compress(b"a\nb\n")[:-4], Content_Encoding="gzip"))[0] == 400
    assert ask(parts, request(b"a", Content_Encoding="br"))[0] == 415
    assert parts.lines() == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(b"a", token="wrong"), 401),
        (request(b"a", Authorization=f"Basic {TOKEN}"), 401),
        (request(b"a", path="/auth"), 404),
        (request(b"a", path="/../portal"), 404),
        (request(b"", method="GET"), 405),
        (request(b"x" * 10_001), 413),
    ],
)
def test_what_is_refused_says_why(parts: Parts, data: bytes, status: int) -> None:
    found, _, answer = ask(parts, data)
    assert found == status
    assert answer["error"]
    assert parts.lines() == []


def test_a_wrong_token_is_told_of(parts: Parts) -> None:
    ask(parts, request(b"a", token="wrong"))
    assert parts.actions() == {"token_refused"}


def test_when_the_spool_is_full_senders_come_again(parts: Parts) -> None:
    parts.spool.limit = 0
    status, headers, _ = ask(parts, request(b"a"))
    assert (status, headers["retry-after"]) == (429, "5")


def test_over_its_rate_a_sender_is_told_to_wait(parts: Parts) -> None:
    intake = parts.intake(rate=10)
    assert ask(parts, request(b"a\n" * 100), intake)[0] == 200
    status, headers, _ = ask(parts, request(b"a"), intake)
    assert status == 429
    assert 1 <= int(headers["retry-after"]) <= 9
    assert parts.actions() == {"rate_limited"}


def test_a_disk_that_takes_nothing_is_no_success(parts: Parts) -> None:
    assert ask(parts, request(b"a"), durable=False)[0] == 503


def test_one_address_cannot_keep_others_out(parts: Parts) -> None:
    intake, answers = parts.intake(of_one=3), list[Answer]()

    async def talking(listening: HttpInput) -> None:
        held = [await asyncio.open_connection("127.0.0.1", listening.port) for _ in range(3)]
        for _, writer in held:
            writer.write(b"POST /portal HTTP/1.1\r\nX-Slow: ")
        reader, _ = await asyncio.open_connection("127.0.0.1", listening.port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port, local_addr=("127.0.0.2", 0))
        writer.write(request(b"{}"))
        answers.append(await read(reader))
        held[0][1].close()
        await asyncio.sleep(0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(request(b"{}"))
        answers.append(await read(reader))

    listen(intake, talking)
    assert [status for status, _, _ in answers] == [200, 200]
    assert intake.counts == {"connection_refused": 1}


def test_a_body_may_come_byte_by_byte(parts: Parts) -> None:
    head = request(b"", Content_Length="", Transfer_Encoding="chunked").replace(b"Content-Length: \r\n", b"")
    begun = time.process_time()
    status, _, answer = ask(parts, head + b"1\r\nx\r\n" * 9_000 + b"0\r\n\r\n")
    assert (status, answer) == (200, {"accepted": 1})
    assert ask(parts, head + b"1\r\nx\r\n" * 10_001 + b"0\r\n\r\n")[0] == 413
    assert time.process_time() - begun < 5


def test_who_is_slow_or_speaks_something_else_is_hung_up_on(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 0.1)
    monkeypatch.setattr(module, "HANDSHAKE", 0.1)

    async def talking(listening: HttpInput) -> None:
        for data in (
            b"POST /portal HTTP/1.1\r\nHos",  # and nothing more
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000,
            request(b"")[: -len("\r\n\r\n")] + b"\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            request(b"", Content_Length="9000"),  # and no body
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                assert not (await asyncio.wait_for(reader.read(), 20)).startswith(b"HTTP/1.1 200")
            writer.close()

    listen(parts.intake(), talking)
    assert parts.lines() == []
