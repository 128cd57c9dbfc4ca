"""Rules of SigmaHQ find what they are about in logs as the built-in sources read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from connectors.definitions import load_definitions
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule

# A line that the named rule of SigmaHQ is about, as the program writes it.
LINES: Final = {
    "Modifying Crontab": "crontab[123]: (root) REPLACE (root)",
    "Sudo Privilege Escalation CVE-2019-14287 - Builtin": (
        "sudo:  lan : TTY=pts/0 ; PWD=/home/lan ; USER=#-1 ; COMMAND=/bin/id"
    ),
    "PwnKit Local Privilege Escalation": (
        "pkexec[123]: lan: The value for environment variable XAUTHORITY contains suspicious content"
        " [USER=root] [TTY=/dev/pts/0] [CWD=/home/lan] [COMMAND=/bin/sh]"
    ),
    "Suspicious OpenSSH Daemon Error": "sshd-session[123]: error: bad client public DH value [preauth]",
    "Relevant ClamAV Message": "clamd[123]: /srv/upload/a.zip: Trojan.Generic-1 FOUND",
    "Suspicious VSFTPD Error Messages": "vsftpd[123]: Connection refused: tcp_wrappers denial.",
    "Guacamole Two Users Sharing Session Anomaly": "guacd[123]: User joined connection (2 users now present)",
    "Disabling Security Tools - Builtin": "systemd[1]: stopping firewalld",
}


# A recorded attack on a web server, and the rule of SigmaHQ that is about it.
PROBES: Final = {
    "CVE-2021-41773 Exploitation Attempt": "apache-cve-2021-41773",
    "Pulse Secure Attack CVE-2019-11510": "pulse-secure-sslvpn-cve-2019-11510",
    "Log4j RCE CVE-2021-44228 in Fields": "apache_log4j2_cve-2021-44228",
}


@pytest.fixture(scope="module")
def by_title(reference: Path) -> dict[str, Rule]:
    """Return the rules for Linux, web servers and Windows' own antivirus."""
    names = ("lnx_*.yml", "web_*.yml", "win_defender_*.yml")
    paths = [path for name in names for path in (reference / "rules").rglob(name)]
    made = [rule for path in paths for rule in rules(path.read_text("utf-8"), path.name)]
    return {rule.meta.title: rule for rule in made if isinstance(rule, Rule)}


def found(rule: Rule, source: str, *lines: str) -> list[int]:
    """Return which lines of a source a rule finds."""
    parser, engine = DefinedParser(load_definitions()[source]), Engine([rule])
    records = pl.DataFrame([(line, number, 0) for number, line in enumerate(lines)], schema=RECORD, orient="row")
    parsed = parser.parse(Batch(source, "test", "test", records), engine.wanted(parser.dialect))
    return list(map(int, engine.detect(parser.dialect, parsed.events, parsed.encoded).row))


@pytest.mark.reference
@pytest.mark.parametrize(("title", "line"), LINES.items())
def test_rules_for_a_program_find_its_lines_in_syslog(by_title: dict[str, Rule], title: str, line: str) -> None:
    assert found(by_title[title], "syslog", f"Mar  2 08:15:00 web01 {line}") == [0]


@pytest.mark.reference
@pytest.mark.parametrize("source", ["apache", "nginx", "portal"])
@pytest.mark.parametrize(("title", "name"), PROBES.items())
def test_rules_find_recorded_attacks_in_access_logs(
    by_title: dict[str, Rule], reference: Path, title: str, name: str, source: str
) -> None:
    lines = (reference / f"crowdsec/{name}/{name}.log").read_text("utf-8").splitlines()
    assert found(by_title[title], source, *lines)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["New Value", "NewValue"])
def test_fields_of_windows_antivirus_are_found_with_and_without_blanks(by_title: dict[str, Rule], name: str) -> None:
    system = {"EventID": 5007, "Channel": "Microsoft-Windows-Windows Defender/Operational"}
    data = {name: r"HKLM\SOFTWARE\Microsoft\Windows Defender\Exclusions\Paths\C:\a = 0x0"}
    event = json.dumps({"Event": {"System": system, "EventData": data}})
    assert found(by_title["Windows Defender Exclusions Added"], "windows", event) == [0]
