"""The ECS columns that a source definition may fill, and their types; those of each row share what stands before `:`.

A column of another name is a fault in the definition. What ECS lets occur more than once is a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl
from polars._typing import PolarsDataType

TIME: Final = pl.Datetime("us", "UTC")

TEXTS: Final = """
.: message
agent: name
client: address domain ip mac
client.user: domain email full_name id name
cloud: availability_zone provider region
cloud.account: id name
cloud.instance: id
cloud.project: id name
cloud.service: name
container: id name runtime
container.image: name
destination: address domain ip mac registered_domain subdomain top_level_domain
destination.as.organization: name
destination.geo: city_name country_iso_code country_name region_name
destination.nat: ip
destination.service: name
destination.user: domain email full_name id name
destination.user.group: domain id name
dns: id op_code response_code type
dns.question: class name registered_domain subdomain top_level_domain type
email: direction local_id message_id subject
email.sender: address
error: code id message stack_trace type
event: action code dataset hash id kind module outcome provider reason reference timezone url
file: device directory extension gid group inode mime_type mode name origin_referrer_url origin_url owner path
    target_path type uid
file.code_signature: status subject_name
file.hash: md5 sha1 sha256
file.pe: company description file_version imphash original_file_name product
file.x509: public_key_algorithm serial_number signature_algorithm version_number
file.x509.issuer: distinguished_name
file.x509.subject: distinguished_name
group: domain id name
host: architecture domain hostname id name type
host.os: build family full kernel name platform type version
host.user: name
http: version
http.request: id method mime_type referrer
http.request.body: content
http.response: mime_type
http.response.body: content
input: type
log: level logger
log.file: path
log.source: address
log.syslog: appname hostname msgid procid version
log.syslog.facility: name
log.syslog.severity: name
network: application community_id direction forwarded_ip iana_number name protocol transport type
network.vlan: id name
observer: hostname name product serial_number type vendor version
observer.egress: zone
observer.egress.interface: alias id name
observer.egress.vlan: id name
observer.ingress: zone
observer.ingress.interface: alias id name
observer.ingress.vlan: id name
observer.os: full name version
orchestrator: api_version namespace organization type
orchestrator.cluster: name
orchestrator.resource: id name type
organization: id name
process: command_line entity_id executable name title working_directory
process.group: id name
process.hash: md5 sha1 sha256
process.pe: company description file_version imphash original_file_name product
process.parent: command_line entity_id executable name working_directory
process.parent.user: id name
process.thread: name
process.user: id name
registry: hive key path value
rule: category description id license name reference ruleset uuid version
server: address domain ip
server.user: name
service: address id name state type version
source: address domain ip mac registered_domain subdomain top_level_domain
source.as.organization: name
source.geo: city_name country_iso_code country_name region_name
source.nat: ip
source.service: name
source.user: domain email full_name id name
source.user.group: domain id name
tls: cipher curve next_protocol version version_protocol
tls.client: issuer ja3 server_name subject
tls.client.hash: md5 sha1 sha256
tls.server: issuer ja3s subject
tls.server.hash: md5 sha1 sha256
url: domain extension fragment full original password path query registered_domain scheme subdomain top_level_domain
    username
user: domain email full_name id name terminal
user.audit: id name
user.changes: name
user.effective: id name
user.effective.group: id name
user.filesystem: id name
user.filesystem.group: id name
user.group: domain id name
user.saved: id name
user.saved.group: id name
user.target: domain email full_name id name
user.target.group: domain id name
user_agent: name original version
user_agent.device: name
user_agent.os: name version
winlog: record_id
"""
INTEGERS: Final = """
client: bytes packets port
destination: bytes packets port
destination.as: number
destination.nat: port
event: count duration sequence severity
file: size
file.x509: public_key_exponent public_key_size
http.request: bytes
http.request.body: bytes
http.response: bytes status_code
http.response.body: bytes
log.syslog: priority
log.syslog.facility: code
log.syslog.severity: code
network: bytes packets
process: args_count exit_code pid uptime
process.parent: pid
process.thread: id
server: port
source: bytes packets port
source.as: number
source.nat: port
url: port
"""
LISTS: Final = """
.: tags
container.image: tag
container.image.hash: all
destination.user: roles
dns: header_flags resolved_ip
dns.answers: class data name type
email.from: address
email.reply_to: address
email.to: address
event: category type
file: attributes
file.x509: alternative_names
file.x509.issuer: common_name country locality organization organizational_unit state_or_province
file.x509.subject: common_name country locality organization organizational_unit state_or_province
host: ip mac
host.user: roles
observer: ip mac
orchestrator.resource: ip
process: args
process.parent: args
related: hash ip user
source.user: roles
user: roles
"""
REALS: Final = """
event: risk_score risk_score_norm
"""
FLAGS: Final = """
tls: established resumed
"""
TIMES: Final = """
event: created end start
file: accessed created ctime mtime
file.x509: not_after not_before
process: end start
process.parent: start
"""

KINDS: Final[dict[str, PolarsDataType]] = {
    TEXTS: pl.String(),
    INTEGERS: pl.Int64(),
    REALS: pl.Float64(),
    FLAGS: pl.Boolean(),
    TIMES: TIME,
    LISTS: pl.List(pl.String),
}


def _names(text: str) -> Iterator[str]:
    parent = ""
    for word in text.split():
        if word.endswith(":"):
            parent = word.removesuffix(":").strip(".")
        else:
            yield f"{parent}.{word}" if parent else word


COLUMNS: Final = {"@timestamp": TIME, **{name: kind for text, kind in KINDS.items() for name in _names(text)}}
