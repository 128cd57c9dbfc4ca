"""Which source definition reads which folder of the reference logs; a folder that isn't here has none yet."""

from __future__ import annotations

from typing import Final

SOURCES: Final = {
    "elastic-integrations/cisco_ios/log": "cisco_ios",
    "elastic-integrations/cisco_nexus/log": "cisco_nexus",
    "elastic-integrations/sonicwall_firewall/log": "sonicwall",
    "elastic-beats/sonicwall/firewall": "sonicwall",
    "elastic-integrations/fortinet_fortigate/log": "fortigate",
    "elastic-integrations/juniper_srx/log": "junos",
    "elastic-integrations/pfsense/log": "pfsense",
    "elastic-integrations/cisco_meraki/log": "cisco_meraki",
    "elastic-integrations/sophos/xg": "sophos_xg",
    "elastic-integrations/cisco_ftd/log": "cisco_ftd",
    "elastic-integrations/cisco_asa/log": "cisco_asa",
    "elastic-beats/cisco/asa": "cisco_asa",
    "elastic-integrations/panw/panos": "panos",
    "elastic-beats/panw/panos": "panos",
    "elastic-integrations/apache/access": "apache",
    "elastic-integrations/nginx/access": "nginx",
    "elastic-integrations/auditd/log": "auditd",
    "elastic-integrations/system/auth": "auth",
    "elastic-integrations/system/syslog": "syslog",
    "elastic-integrations/sysmon_linux/log": "sysmon_linux",
    "elastic-integrations/aws/cloudtrail": "cloudtrail",
    "elastic-integrations/system/security": "windows",
    "elastic-integrations/windows/powershell": "windows",
    "elastic-beats/auditd/log": "auditd",
    "elastic-beats/auditbeat-auditd": "auditd",
    "elastic-beats/system/auth": "auth",
    "winlogbeat/security": "windows",
    "winlogbeat/sysmon": "windows",
    "winlogbeat/powershell": "windows",
}
