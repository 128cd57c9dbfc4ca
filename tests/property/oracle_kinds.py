"""The reference logs that carry fields, by kind: events that come in one shape and speak one dialect.

Files are read as the program reads them. Documents of services that it has no source definition for are told by their
folder; they keep their own fields, or have those of the Elastic Common Schema, which rules call otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.files import FileSource
from connectors.parser import DefinedParser
from connectors.recognise import Recognised, recognise
from detectors.contracts import Batch, Dialect, LogSource, Parsed
from detectors.schema import RECORD

LARGE: Final = 20_000  # events of a kind
LOGS: Final = (
    *("cloud", "crowdsec", "elastic-beats", "elastic-integrations", "evtx", "fail2ban", "loghub", "misc-text", "otrf"),
    *("perf", "sekoia", "suricata", "wazuh", "web", "zeek"),
)
ZEEK: Final = "#separator"  # how Zeek's tabular logs begin
NO_LOGS: Final = (".assert", ".csv", ".md", ".txt", ".yaml", ".yml")

# What the Elastic Common Schema calls the fields of rules.
ECS: Final[dict[str, tuple[str, ...]]] = {
    "CommandLine": ("process.command_line",),
    "CurrentDirectory": ("process.working_directory",),
    "DestinationHostname": ("destination.domain",),
    "DestinationIp": ("destination.ip",),
    "DestinationPort": ("destination.port",),
    "Image": ("process.executable",),
    "ParentCommandLine": ("process.parent.command_line",),
    "ParentImage": ("process.parent.executable",),
    "QueryName": ("dns.question.name",),
    "SourceIp": ("source.ip",),
    "SourcePort": ("source.port",),
    "TargetFilename": ("file.path",),
    "User": ("user.name",),
    "action": ("event.action",),
    "answer": ("dns.answers.data",),
    "c-uri": ("url.original", "url.full", "url.path"),
    "c-uri-query": ("url.query",),
    "c-useragent": ("user_agent.original",),
    "cs-host": ("url.domain", "destination.domain"),
    "cs-method": ("http.request.method",),
    "cs-referer": ("http.request.referrer",),
    "cs-uri-query": ("url.query",),
    "cs-uri-stem": ("url.path", "url.original"),
    "cs-user-agent": ("user_agent.original",),
    "dst_ip": ("destination.ip",),
    "dst_port": ("destination.port",),
    "query": ("dns.question.name",),
    "record_type": ("dns.question.type",),
    "sc-status": ("http.response.status_code",),
    "src_ip": ("source.ip",),
    "src_port": ("source.port",),
}

# Kinds of JSON: which definition reads it, its log source if that isn't the definition's, and where it is.
PLACES: Final[tuple[tuple[str, str, LogSource | None, str], ...]] = (
    ("Windows, EVTX", "windows", None, "*.evtx"),
    ("Sysmon for Linux", "windows", LogSource(product="linux"), "*/sysmon_linux/*.json"),
    ("Windows, EVTX as JSON", "windows", None, "evtx/sigma-regression/*"),
    ("Windows, OTRF", "windows", None, "otrf/atomic/windows/*"),
    ("Windows, Winlogbeat", "windows", None, "evtx/* */system/security/* */windows/* */microsoft_sqlserver/audit/*"),
    ("Windows, OTRF campaigns", "windows", None, "perf/*"),
    ("Linux, ECS", "json", LogSource(product="linux", service="syslog"), "*/system/auth/* */system/syslog/*"),
    ("Linux audit, ECS", "json", LogSource(product="linux", service="auditd"), "*/auditbeat* */auditd*"),
    ("web, ECS", "json", LogSource(category="webserver"), "*/apache* */nginx* */iis/* */traefik/* */haproxy/*"),
    ("proxy, ECS", "json", LogSource(category="proxy"), "*/squid/* */zscaler* */cloudfront* *umbrella/* */envoy*"),
    ("DNS, ECS", "json", LogSource(category="dns"), "*/coredns/* */infoblox* */route53* */gcp/dns/*"),
    ("FortiGate", "json", LogSource(product="fortigate", service="event"), "*/fortinet_fortigate/*"),
    ("Cisco", "json", LogSource(product="cisco", service="aaa"), "*/cisco_ios/* */cisco_nexus/* */cisco_ise/*"),
    (
        *("firewall, ECS", "json", LogSource(category="firewall")),
        "*/cisco*/* */checkpoint/* */fortinet* */gcp/firewall/* */iptables/* */juniper_srx/* */panw/* */pfsense/*"
        " */sonicwall*/* */sophos/* */vpcflow/*",
    ),
    ("databases", "json", LogSource(category="database"), "*/mysql* */postgresql/* */mssql/* */microsoft_sqlserver/*"),
    ("antivirus", "json", LogSource(category="antivirus"), "*/symantec_endpoint/* */trellix* */deep_security/*"),
    ("macOS", "json", LogSource(product="macos"), "*/santa/*"),
    ("endpoint agents", "json", LogSource("process_creation", "windows"), "*/crowdstrike/* */m365_defender/*"),
    ("AWS, ECS", "json", LogSource(product="aws", service="cloudtrail"), "*/aws/*expected.json */aws/guardduty/*"),
    ("AWS CloudTrail", "cloudtrail", None, "cloud/* otrf/atomic/aws/* */aws/cloudtrail/*"),
    ("Azure audit", "json", LogSource(product="azure", service="auditlogs"), "*/azure/auditlogs/*"),
    ("Azure sign-in", "json", LogSource(product="azure", service="signinlogs"), "*/azure/signinlogs/*"),
    ("Azure risk", "json", LogSource(product="azure", service="riskdetection"), "*/azure/identity_protection/*"),
    ("Azure activity", "json", LogSource(product="azure", service="activitylogs"), "*/azure/* misc-text/azure*"),
    ("Google Workspace", "json", LogSource(product="gcp", service="google_workspace.admin"), "*/google_workspace/*"),
    ("Google Cloud", "json", LogSource(product="gcp", service="gcp.audit"), "*/gcp/*"),
    ("GitHub", "json", LogSource(product="github", service="audit"), "*/github/*"),
    ("Microsoft 365", "json", LogSource(product="m365", service="audit"), "*/o365/* misc-text/microsoft_audit*"),
    ("Okta", "json", LogSource(product="okta", service="okta"), "*/okta/*"),
    ("Kubernetes", "json", LogSource("application", "kubernetes", "audit"), "*/k8s-audit*"),
    ("Zeek HTTP", "json", LogSource(product="zeek", service="http"), "*zeek/*http*"),
    ("Zeek DNS", "json", LogSource(product="zeek", service="dns"), "*zeek/*dns*"),
    ("Zeek Kerberos", "json", LogSource(product="zeek", service="kerberos"), "*zeek/*kerberos*"),
    ("Zeek DCE/RPC", "json", LogSource(product="zeek", service="dce_rpc"), "*zeek/*dce_rpc*"),
    ("Zeek SMB", "json", LogSource(product="zeek", service="smb_files"), "*zeek/*smb*"),
    ("Zeek X.509", "json", LogSource(product="zeek", service="x509"), "*zeek/*x509*"),
    ("Zeek RDP", "json", LogSource(product="zeek", service="rdp"), "*zeek/*rdp*"),
    ("Zeek, other", "json", LogSource(product="zeek"), "*zeek/*"),
    ("Suricata", "json", LogSource(product="suricata"), "*suricata*"),
    ("other JSON", "json", None, "*"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Logs of one kind."""

    dialect: Dialect
    parser: DefinedParser
    records: pl.DataFrame  # RECORD

    def events(self, wanted: frozenset[str]) -> Iterator[Parsed]:
        """Yield the events, at most LARGE at once, with the columns wanted."""
        for records in self.records.iter_slices(LARGE):
            yield self.parser.parse(Batch(self.dialect.name, "reference", self.dialect.name, records), wanted)


def kinds(folder: Path, share: int) -> Iterator[Kind]:
    """Yield all logs of the folder of reference data; of large kinds one event in `share`."""
    definitions = load_definitions()
    found: dict[tuple[str, str], list[pl.DataFrame]] = defaultdict(list)
    for batch in _batches(folder, definitions):
        is_json = batch.records["event.original"][0].startswith("{")
        kind = _place(str(Path(batch.label).relative_to(folder)))[0] if is_json else batch.source
        found[kind, batch.source].append(batch.records)
    logsources = {kind: logsource for kind, _, logsource, _ in PLACES}
    for (kind, source), parts in found.items():
        parser, records = DefinedParser(definitions[source]), pl.concat(parts)
        own = parser.dialect
        aliases = ECS if source == "json" else own.aliases
        dialect = Dialect(kind, logsources.get(kind) or own.logsource, aliases, own.structured)
        yield Kind(dialect, parser, records.gather_every(share) if records.height > LARGE else records)


def _batches(folder: Path, definitions: Mapping[str, Definition]) -> Iterator[Batch]:
    """Yield what the files hold; text of no known format may be syslog still, and dies in the parser if it isn't."""
    paths = [path for name in LOGS for path in sorted((folder / name).rglob("*")) if path.suffix not in NO_LOGS]

    def told(sample: list[str], label: str) -> Recognised:
        if sample[0].startswith("{"):
            return Recognised(1, _place(str(Path(label).relative_to(folder)))[1])
        if sample[0].startswith(ZEEK):
            return Recognised(1, ZEEK)
        return recognise(sample, definitions, label) or Recognised(0, "syslog")

    source = FileSource([path for path in paths if path.is_file()], told, dead=lambda _: None)
    for batch in source.batches():
        lines = batch.records["event.original"]
        if batch.source == ZEEK:
            records = pl.DataFrame({"event.original": list(_zeek(lines))})
            yield replace(batch, source="json", records=records.match_to_schema(RECORD, missing_columns="insert"))
        else:
            inner = pl.Series("event.original", map(_inner, lines), dtype=pl.String)
            yield replace(batch, records=batch.records.with_columns(inner))
    source.close()


def _place(path: str) -> tuple[str, str]:
    """Return the kind of a JSON log, and the definition that reads it."""
    return next((kind, source) for kind, source, _, where in PLACES if any(fnmatch(path, one) for one in where.split()))


def _zeek(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a tabular log of Zeek as it would have written them in JSON."""
    names: list[str] = []
    for line in lines:
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif not line.startswith("#"):
            yield orjson.dumps({k: v for k, v in zip(names, line.split("\t"), strict=True) if v != "-"}).decode()


def _inner(line: str) -> str:
    """Return a record as its service wrote it: some samples hold it in a field of another, or behind a label."""
    if line.startswith("log ") and " = " in line:
        return line.partition(" = ")[2]
    if not line.startswith(('{"event"', '{"message"')):
        return line
    document = orjson.loads(line)
    event = document.get("event")
    held = event.get("original") if isinstance(event, dict) else document.get("message")
    is_record = isinstance(held, str) and held.startswith("{") and "ecs" not in document
    return str(held) if is_record else line
