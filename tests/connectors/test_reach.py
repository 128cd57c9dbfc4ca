"""Rules that name a product as SigmaHQ does find the lines of its logs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl
import pytest

from connectors.definitions import load_definitions
from connectors.parser import DefinedParser
from detectors.content import contents
from detectors.contracts import Batch
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule

DEFINITIONS: Final = load_definitions()
SHELL: Final = "<189>81: rt01: 000081: Mar  2 2026 08:15:00: %PARSER-5-CFGLOG_LOGGEDCMD: User:lan  logged command:"
ZEEK: Final = '"ts":1772414100.8,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":50123,"id.resp_h":"198.51.100.9"'
POLICY: Final = (
    'date=2026-03-02 time=08:15:00 devname="FG-01" devid="FG0000" logid="0100044547" type="event" subtype="system" '
    'level="information" user="lan" ui="GUI(192.0.2.7)" action="Add" cfgpath="firewall.policy" msg="Add policy 9"'
)
DUO: Final = (
    '{"event_type":"authentication","factor":"bypass_code","reason":"bypass_user","txid":"1","result":"success"}'
)
ASA: Final = "<166>Mar 02 2026 08:15:00 fw01 : %ASA-5-111008: User 'lan' executed the 'clear logging' command."

# A rule of SigmaHQ, the source, and a line of it that the rule is about.
FOUND: Final = {
    "cisco_cli_disable_logging": ("cisco_ios", SHELL + "no logging 192.0.2.9"),
    "cisco_cli_clear_logs": ("cisco_asa", ASA),
    "cisco_cli_collect_data": (
        "cisco_ise",
        "<181>Mar  2 08:15:00 ise01 CISE_TACACS_Accounting 0012 1 0 2026-03-02 08:15:00.123 +07:00 0000000456 "
        "3300 NOTICE Tacacs-Accounting: TACACS+ Accounting with Command, CmdSet=[ CmdAV=show running-config ],",
    ),
    "cisco_bgp_md5_auth_failed": (
        "cisco_ios",
        "<187>9: r1: Mar  2 2026 08:15:00: %IP-TCP-3-BADAUTH: Invalid MD5 digest from 203.0.113.9:11 to 192.0.2.1:179",
    ),
    "cisco_ldp_md5_auth_failed": (
        "cisco_ios",
        "<187>9: rt01: Mar  2 2026 08:15:00: %ROUTING-LDP-3-SOCKET_TCP_PACKET_MD5_AUTHEN_FAIL: LDP peer 192.0.2.1",
    ),
    "cisco_syslog_cve_2023_20198_ios_xe_web_ui": (
        "cisco_ios",
        "<189>9: rt01: Mar  2 2026 08:15:00: %SYS-5-CONFIG_P: Configured programmatically by process SEP_webui_wsma "
        "from console as cisco_tac_admin on vty0",
    ),
    "cisco_duo_mfa_bypass_via_bypass_code": ("cisco_duo", DUO),
    "fortinet_fortigate_new_firewall_policy_added": ("fortigate", POLICY),
    "fortios_sslvpnd_exploit_cve_2022_42475_exploitation_indicators": (
        "fortigate",
        'date=2026-03-02 time=08:15:00 devname="FG-01" devid="FG0000" logid="0100032545" type="event" '
        'msg="scanned /data/lib/libips.bak"',
    ),
    "huawei_bgp_auth_failed": (
        "huawei",
        "<187>Mar  2 2026 08:15:02+07:00 edge01 %%01BGP/3/BGP_AUTH_FAILED(l)[7]:Authentication failed. "
        "(PeerID=198.51.100.9, Source=198.51.100.9:179)",
    ),
    "juniper_bgp_missing_md5": (
        "junos",
        "<28>Mar  2 08:15:00 mx01 rpd[1612]: tcp_auth_ok: Packet from 203.0.113.9:179 missing MD5 digest",
    ),
    "paloalto_globalprotect_exploit_cve_2024_3400_command_injection": (
        "panos",
        "Mar  2 08:15:00 pa01 1,2026/03/02 08:15:00,0070010000,SYSTEM,globalprotect,2561,2026/03/02 08:15:00,vsys1,"
        'general,,0,0,general,error,"failed to unmarshal session(../../../opt/x)",1,0x0,0,0,0,0,,pa01',
    ),
    "zeek_dns_torproxy": (
        "zeek",
        f'{{"_path":"dns",{ZEEK},"id.resp_p":53,"query":"abc.onion.to","qtype_name":"A"}}',
    ),
    "zeek_http_webdav_put_request": (
        "zeek",
        f'{{"_path":"http",{ZEEK},"method":"PUT","user_agent":"Microsoft-WebDAV","uri":"/a","trans_depth":1}}',
    ),
    "zeek_http_executable_download_from_webdav": (
        "zeek",
        f'{{"_path":"http",{ZEEK},"method":"GET","user_agent":"Microsoft-WebDAV","uri":"/a.exe","trans_depth":1}}',
    ),
    "zeek_dce_rpc_potential_petit_potam_efs_rpc_call": (
        "zeek",
        f'{{"_path":"dce_rpc",{ZEEK},"endpoint":"efsrpc","operation":"EfsRpcOpenFileRaw"}}',
    ),
    "zeek_susp_kerberos_rc4": (
        "zeek",
        f'{{"_path":"kerberos",{ZEEK},"request_type":"TGS","cipher":"rc4-hmac","service":"MSSQLSvc/db01"}}',
    ),
    "zeek_smb_converted_win_susp_psexec": (
        "zeek",
        f'{{"_path":"smb_files",{ZEEK},"action":"SMB::FILE_OPEN","path":"\\\\\\\\pc1\\\\IPC$","name":"x-stdin"}}',
    ),
    "bitbucket_audit_user_login_failure_detected": (
        "bitbucket",
        '{"auditType":{"action":"User login failed","category":"Authentication"},"author":{"name":"lan"}}',
    ),
    "onelogin_user_account_locked": ("onelogin", '{"event_type_id":532,"account_id":7,"user_name":"lan"}'),
    "net_dns_susp_telegram_api": (
        "bind",
        "02-Mar-2026 08:15:00.123 client @0x7f 192.0.2.7#3076 (api.telegram.org): query: api.telegram.org IN A + "
        "(192.0.2.53)",
    ),
    "net_firewall_apt_equationgroup_c2": (
        "junos",
        '<14>1 2026-03-02T08:15:00.123+07:00 srx01 RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2636.1.1.1.2.129 '
        'source-address="192.0.2.7" source-port="50123" destination-address="69.42.98.86" destination-port="443"]',
    ),
}  # fmt: skip

# Log sources as rules write them, a detection, and a source with a line that it is true of.
OWN: Final = [
    ("product: cisco, service: aaa", "words: [no logging]", "cisco_ios", SHELL + "no logging"),
    ("product: cisco, service: syslog", "words: ['%PARSER-5']", "cisco_ios", SHELL + "no logging"),
    ("product: fortigate, service: event", "a: {cfgpath: firewall.policy}", "fortigate", POLICY),
    ("product: zeek, service: dns", "a: {query: a.example}", "zeek", f'{{"_path":"dns",{ZEEK},"query":"a.example"}}'),
    ("category: dns", "a: {query: a.example}", "zeek", f'{{"_path":"dns",{ZEEK},"query":"a.example"}}'),
    (
        "category: firewall",
        "a: {dst_port: 22}",
        "iptables",
        "Mar  2 08:15:00 gw kernel: DROP IN=eth0 OUT= MAC=02:00:5e:10:00:01:02:00:5e:10:00:02:08:00 SRC=192.0.2.7 "
        "DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=51 ID=1 DF PROTO=TCP SPT=50123 DPT=22 WINDOW=64240 SYN",
    ),
]

RULE: Final = """title: A test
id: 00000000-0000-4000-8000-000000000001
logsource: {LOGSOURCE}
detection:
  DETECTION
  condition: 1 of them
"""


def hits(rule: Rule, source: str, line: str) -> int:
    """Return how many of the events of one line a rule matches."""
    engine, parser = Engine([rule]), DefinedParser(DEFINITIONS[source], year=2026)
    batch = Batch(source, "file:x", "x", pl.DataFrame([(line, 0, 0)], schema=RECORD, orient="row"))
    parsed = parser.parse(batch, engine.wanted(parser.dialect))
    return int(engine.detect(parser.dialect, parsed.events, parsed.encoded).row.size)


@pytest.mark.parametrize(("logsource", "detection", "source", "line"), OWN)
def test_a_rule_reaches_the_lines_of_its_log_source(logsource: str, detection: str, source: str, line: str) -> None:
    text = RULE.replace("LOGSOURCE", logsource).replace("DETECTION", detection)
    (rule,) = contents(text, "r.yml")
    assert isinstance(rule, Rule)
    assert hits(rule, source, line) == 1


@pytest.mark.reference
@pytest.mark.parametrize("name", FOUND)
def test_a_rule_of_sigmahq_finds_a_line_of_its_product(reference: Path, name: str) -> None:
    (path,) = (reference / "rules").rglob(f"{name}.yml")
    (rule,) = contents(path.read_text("utf-8"), path.name)
    assert isinstance(rule, Rule)
    source, line = FOUND[name]
    assert hits(rule, source, line) == 1
