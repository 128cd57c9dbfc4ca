"""What the settings of `soc collect` must hold, and a whole collector whose Kafka is away."""

from __future__ import annotations

import asyncio
import socket
from datetime import date
from pathlib import Path

import pytest

from connectors.collect.spool import Spool
from connectors.envelope import unpack
from connectors.privacy import keys
from detectors.errors import UsageError
from flows.collecting.collector import Collector
from flows.collecting.needs import check, tokens
from flows.collecting.service import protection
from flows.collecting.settings import Http
from flows.settings import Settings, load

AWAY = "kafka: {servers: ['127.0.0.1:1']}\n"


def settings(folder: Path, text: str) -> Settings:
    (folder / "soc.yml").write_text(text)
    return load(folder / "soc.yml")


def test_personal_data_become_tokens_where_the_settings_say_so(tmp_path: Path) -> None:
    line = '{"time":"2026-11-20T08:15:00+07:00","user":"a","action":"b","phone":"0912345678"}'
    assert protection(settings(tmp_path, "{}\n"))("hotline_1022", [line]) == [line]
    where = tmp_path / "privacy"
    made = settings(tmp_path, f"privacy: {{protect: true, folder: {where}}}\n")
    with pytest.raises(UsageError, match="soc privacy setup"):
        protection(made)
    keys.write(where / "keys.json", keys.Keys((keys.fresh("k1", date(2026, 1, 1)),), bytes(range(1, 33))))
    (safe,) = protection(made)("hotline_1022", [line])
    assert "0912345678" not in safe
    assert "pd_k1_" in safe
    assert (where / "vault").is_file()
    assert list(protection(made)("auth", ["0912345678"])) == ["0912345678"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("collect: {files: [{path: /a, source: nginx}]}", "kafka.servers"),
        (AWAY, "nothing to collect"),
        (AWAY + "collect: {files: [{path: /a, source: ngnix}]}", "did you mean `nginx`"),
        ("collect: {syslog: [{listen: '0.0.0.0', source: syslog}]}", "0.0.0.0:5514"),
        ("collect: {syslog: [{listen: '0.0.0.0:99999', source: syslog}]}", "0.0.0.0:5514"),
        ("collect: {syslog: [{listen: '0.0.0.0:1'}]}", "name a source, or senders"),
        ("collect: {syslog: [{listen: '0.0.0.0:1', source: a, transport: tls}]}", "certificate and key"),
        ("collect: {http: {listen: '0.0.0.0:1', sources: [a], clients: ca}}", "clients needs certificate"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(settings(tmp_path, text))
    assert told in str(caught.value)


def test_tokens_come_from_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokens").write_text("# two while it is changed\nold 0123456789abcdef\nnew fedcba9876543210\n")
    monkeypatch.setenv("SOC_COLLECT__HTTP__TOKEN", "aaaaaaaaaaaaaaaaaaaa")
    http = settings(
        tmp_path, f"collect: {{http: {{listen: '127.0.0.1:1', sources: [a], token_file: {tmp_path}/tokens}}}}"
    ).collect.http
    assert http is not None
    assert set(tokens(http)) == {"token", "old", "new"}
    assert "aaaa" not in repr(http)


@pytest.mark.parametrize(("text", "told"), [("", "no token"), ("lab short\n", "shorter than 16")])
def test_weak_tokens_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(UsageError, match=told):
        tokens(Http(listen="127.0.0.1:1", sources=["a"], token_file=tmp_path / "tokens"))


def test_a_port_that_is_taken_is_told_of_and_nothing_else_runs_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = f"syslog: [{{listen: '127.0.0.1:{taken.getsockname()[1]}', transport: tcp, source: syslog}}]"
        with pytest.raises(UsageError, match="ss -lntup"):
            run(tmp_path, text)
    Spool(tmp_path / "spool", 1 << 20, print).close()  # it was let go


def test_while_kafka_is_away_lines_wait_and_a_stop_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\ntwo\n")
    said = run(tmp_path, f"files: [{{path: {tmp_path}/a.log, source: nginx}}]", lines=2)
    assert any("wait in the spool for the next start" in text for text in said)
    spool = Spool(tmp_path / "spool", 1 << 20, print)
    (record,) = [each for taken in spool.read() for each in taken.block.records]
    assert unpack(record.value).lines == ("one", "two")
    assert [mark["offset"] for mark in spool.marks.values() if mark] == [8]


def run(folder: Path, part: str, lines: int = 1) -> list[str]:
    """Run a collector until it has so many lines; return what it said."""
    said: list[str] = []
    chosen = settings(folder, f"{AWAY}collect: {{spool: {folder}/spool, write_every: 0.05, {part}}}")

    async def collect() -> None:
        collector = Collector(chosen, said.append, protection(chosen))

        async def stop() -> None:
            while collector.gathering.lines < lines:
                await asyncio.sleep(0.02)
            said.append(collector.progress())
            collector.stop()

        stopping = asyncio.create_task(stop())
        try:
            await asyncio.wait_for(collector.run(), 60)
        finally:
            stopping.cancel()

    asyncio.run(collect())
    return said
