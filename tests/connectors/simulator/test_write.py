"""What a simulation leaves on disk: real formats, exact truth, and nothing outside its folder."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.simulator import Province, Summary, write
from connectors.simulator.attacks import ATTACKS
from detectors.errors import UsageError
from tests.connectors.simulator.conftest import START

COMBINED = re.compile(
    r"(\d{1,3}\.){3}\d{1,3} - \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0700\] "
    r'"(GET|POST) /[!-~]* HTTP/1\.1" [1-5]\d\d \d+ "[^"]*" "[^"]*"'
)
RFC3164 = re.compile(r"[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d [a-z0-9]+ (sudo|(sshd|CRON|systemd-logind)\[\d+\]): \S.*|"
                     r"[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d [a-z0-9]+ sudo: +\S.*")  # fmt: skip
FIELDS = {  # of Windows, beside those of every record
    1102: {"SubjectUserSid", "SubjectUserName", "SubjectLogonId"},
    4624: {"TargetUserName", "LogonType", "IpAddress", "AuthenticationPackageName", "ElevatedToken"},
    4625: {"TargetUserName", "Status", "SubStatus", "FailureReason", "LogonType", "IpAddress"},
    4634: {"TargetUserName", "TargetLogonId", "LogonType"},
    4672: {"SubjectUserName", "PrivilegeList"},
    4688: {"NewProcessName", "CommandLine", "ParentProcessName", "SubjectUserName"},
    4720: {"TargetUserName", "SamAccountName", "UserAccountControl"},
    4728: {"MemberName", "MemberSid", "TargetUserName", "TargetSid"},
    4740: {"TargetUserName", "TargetDomainName", "SubjectUserName"},
    4768: {"TargetUserName", "ServiceName", "TicketEncryptionType", "IpAddress"},
    4769: {"TargetUserName", "ServiceName", "TicketEncryptionType", "Status"},
    4771: {"TargetUserName", "Status", "IpAddress"},
    7045: {"ServiceName", "ImagePath", "StartType", "AccountName"},
}


def lines(summary: Summary, source: str) -> list[str]:
    (path,) = (log for log in summary.logs if log.parent.name == source)
    return path.read_text(encoding="utf-8").splitlines()


def truth(summary: Summary) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in summary.truth.read_bytes().splitlines()]


def test_two_days_of_a_town_have_the_size_they_should(simulated: Summary) -> None:
    assert 30_000 < sum(simulated.lines.values()) < 80_000
    assert simulated.size == sum(log.stat().st_size for log in simulated.logs)
    for log in simulated.logs:
        assert simulated.lines[log.parent.name] == len(lines(simulated, log.parent.name))


def test_every_line_is_sent_before_it_is_written(village: Province, tmp_path: Path) -> None:
    sent: list[str] = []
    done = write(tmp_path, 1, START, 1, spec=village, send=lambda line: sent.append(line.source))
    assert len(sent) == sum(done.lines.values())


def test_the_dhcp_server_writes_as_dhcpd_does(simulated: Summary) -> None:
    form = re.compile(r"[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d dhcp01 dhcpd\[\d+\]: DHCP(DISCOVER|OFFER|REQUEST|ACK) .*")
    assert [line for line in lines(simulated, "dhcp_server") if not form.fullmatch(line)] == []


def test_the_portal_writes_combined_lines(simulated: Summary) -> None:
    assert [line for line in lines(simulated, "portal") if not COMBINED.fullmatch(line)] == []


def test_the_servers_write_syslog(simulated: Summary) -> None:
    assert [line for line in lines(simulated, "auth") if not RFC3164.fullmatch(line)] == []


def test_windows_records_have_windows_fields(simulated: Summary) -> None:
    records = [orjson.loads(line) for line in lines(simulated, "windows")]
    assert {record["EventID"] for record in records} == set(FIELDS)
    for record in records:
        assert record["Channel"] == ("System" if record["EventID"] == 7045 else "Security")
        assert FIELDS[record["EventID"]] <= record.keys()
        assert datetime.fromisoformat(record["TimeCreated"]).tzinfo == UTC


def test_the_hotline_writes_json_with_local_times(simulated: Summary) -> None:
    records = [orjson.loads(line) for line in lines(simulated, "hotline_1022")]
    times = [datetime.fromisoformat(record["time"]) for record in records]
    assert all(one <= two for one, two in pairwise(times))
    assert all(record.keys() >= {"user", "role", "unit", "action", "ip", "result"} for record in records)
    assert all(re.fullmatch(r"0900\*{3}\d{3}", record.get("phone", "0900***000")) for record in records)


def test_the_truth_names_every_line_of_every_attack(simulated: Summary) -> None:
    attacks = truth(simulated)
    logs = {str(log.relative_to(simulated.folder)): log.read_bytes() for log in simulated.logs}
    played = [attack.id for attack in ATTACKS if attack.day < 2]
    assert [attack["attack"] for attack in attacks] == played == list(simulated.attacks)
    for attack in attacks:
        assert attack["lines"]
        for line in attack["lines"]:
            content, offset, text = logs[line["file"]], line["offset"], line["text"].encode() + b"\n"
            assert content[offset : offset + len(text)] == text
            assert content.count(b"\n", 0, offset) == line["line"] - 1


def test_the_text_of_an_attack_line_stands_nowhere_else(simulated: Summary) -> None:
    """Scoring knows a line by its text."""
    for source in simulated.lines:
        texts = lines(simulated, source)
        known = [line["text"] for attack in truth(simulated) for line in attack["lines"] if line["source"] == source]
        wanted = set(known)
        assert sum(text in wanted for text in texts) == len(known)


def test_attacks_begin_and_end_with_their_lines(simulated: Summary) -> None:
    for attack in truth(simulated):
        start, end = (datetime.fromisoformat(attack[key]) for key in ("start", "end"))
        assert start <= end
        assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in attack["techniques"])


def test_the_smallest_province_is_attacked_as_well(tmp_path: Path, village: Province) -> None:
    assert write(tmp_path, 1, START, 3, spec=village).attacks == tuple(attack.id for attack in ATTACKS)


def test_a_log_is_as_old_as_its_last_line(simulated: Summary) -> None:
    for log in simulated.logs:
        assert datetime.fromtimestamp(log.stat().st_mtime, UTC).isoformat().startswith("2026-11-19T")


def test_writing_again_gives_the_same_bytes(tmp_path: Path, village: Province) -> None:
    first = write(tmp_path / "a", seed=3, start=START, days=1, spec=village)
    write(tmp_path / "b", seed=4, start=START, days=1, spec=village)
    again = write(tmp_path / "b", seed=3, start=START, days=1, spec=village)
    for one, two in zip((*first.logs, first.truth), (*again.logs, again.truth), strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_progress_runs_forward_to_the_end(tmp_path: Path, village: Province) -> None:
    heard: list[float] = []
    write(tmp_path, 1, START, 2, heard.append, spec=village)
    assert heard == sorted(heard)
    assert len(heard) > 3
    assert heard[-1] == 1.0


def test_nothing_but_the_logs_and_the_truth_is_left(simulated: Summary) -> None:
    left = {path for path in simulated.folder.parent.rglob("*") if path.is_file()}
    assert left == {*simulated.logs, simulated.truth}


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path, village: Province) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "portal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="portal"):
        write(tmp_path / "out", 1, START, 1, spec=village)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_place_of_a_log_is_replaced_and_not_followed(tmp_path: Path, village: Province) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "out" / "portal").mkdir(parents=True)
    for name in ("access.log", ".access.log.new"):
        (tmp_path / "out" / "portal" / name).symlink_to(victim)
    write(tmp_path / "out", 1, START, 1, spec=village)
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "out" / "portal" / "access.log").is_symlink()


def test_a_fault_on_the_way_leaves_what_was_there(tmp_path: Path, village: Province) -> None:
    before = write(tmp_path, 1, START, 1, spec=village)
    old = {path: path.read_bytes() for path in (*before.logs, before.truth)}

    def stop(done: float) -> None:
        if done > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, 2, START, 1, stop, spec=village)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == old


def test_a_file_in_the_way_is_named(tmp_path: Path, village: Province) -> None:
    (tmp_path / "portal").write_text("not a folder", encoding="utf-8")
    with pytest.raises(UsageError, match="File exists") as caught:
        write(tmp_path, 1, START, 1, spec=village)
    assert caught.value.place is not None
    assert caught.value.fix
