"""Windows event records as NXLog writes them: flat JSON, field names exactly as Windows has them.

{"SourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","Hostname":"dc01…","EventID":4624,…}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from connectors.simulator.stream import Line
from connectors.simulator.world import Peer

SOURCE = "windows"
DOMAIN_SID = "S-1-5-21-1180699209-877415012-3182924384"
SYSTEM_SID = "S-1-5-18"
SUCCESS, FAILURE, CLASSIC, CLEARED = (
    "0x8020000000000000",
    "0x8010000000000000",
    "0x8080000000000000",
    "0x4020000000000000",
)
AUDITING = ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-a5ba-3e3b0328c30d}")
EVENTLOG = ("Microsoft-Windows-Eventlog", "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}")
SERVICES = ("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What all records of one event id have in common."""

    message: str
    task: str
    keywords: str = SUCCESS
    provider: tuple[str, str] = AUDITING
    channel: str = "Security"
    level: str = "0"


KINDS = {
    1102: Kind("The audit log was cleared.", "104", CLEARED, EVENTLOG, level="4"),
    4624: Kind("An account was successfully logged on.", "12544"),
    4625: Kind("An account failed to log on.", "12544", FAILURE),
    4634: Kind("An account was logged off.", "12545"),
    4672: Kind("Special privileges assigned to new logon.", "12548"),
    4688: Kind("A new process has been created.", "13312"),
    4720: Kind("A user account was created.", "13824"),
    4728: Kind("A member was added to a security-enabled global group.", "13826"),
    4740: Kind("A user account was locked out.", "13824"),
    4768: Kind("A Kerberos authentication ticket (TGT) was requested.", "14339"),
    4769: Kind("A Kerberos service ticket was requested.", "14337"),
    4771: Kind("Kerberos pre-authentication failed.", "14339", FAILURE),
    7045: Kind("A service was installed in the system.", "0", CLASSIC, SERVICES, "System", "4"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """A security principal of the domain, in one logon session."""

    name: str
    sid: str
    domain: str
    session: str = "0x3e7"

    def as_subject(self) -> dict[str, str]:
        return {
            "SubjectUserSid": self.sid,
            "SubjectUserName": self.name,
            "SubjectDomainName": self.domain,
            "SubjectLogonId": self.session,
        }


@dataclass(frozen=True, slots=True)
class Program:
    """What a process runs, and what started it."""

    image: str
    command: str
    parent: str


def record(at: datetime, computer: str, event: int, fields: dict[str, str]) -> Line:
    """Write one event of a computer."""
    kind = KINDS[event]
    utc = at.astimezone(UTC)
    time = f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
    head: dict[str, str | int] = {
        "SourceName": kind.provider[0],
        "ProviderGuid": kind.provider[1],
        "Level": kind.level,
        "Keywords": kind.keywords,
        "Channel": kind.channel,
        "Hostname": computer,
        "TimeCreated": time,
        "@timestamp": time,
        "EventID": event,
        "Message": kind.message,
        "Task": kind.task,
    }
    return Line(at, SOURCE, orjson.dumps(head | fields).decode())


def logon(at: datetime, computer: str, who: Account, peer: Peer, kind: int = 3) -> Line:
    """4624: `kind` is the logon type, 3 for network and 5 for a service."""
    fields = {
        "SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "SubjectLogonId": "0x0",
        "TargetUserSid": who.sid, "TargetUserName": who.name, "TargetDomainName": who.domain,
        "TargetLogonId": who.session, "LogonType": str(kind), "LogonProcessName": "Kerberos",
        "AuthenticationPackageName": "Kerberos", "WorkstationName": "-",
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}", "TransmittedServices": "-", "LmPackageName": "-",
        "KeyLength": "0", "ProcessId": "0x0", "ProcessName": "-", "IpAddress": peer.ip, "IpPort": str(peer.port),
        "ImpersonationLevel": "%%1833", "RestrictedAdminMode": "-", "TargetOutboundUserName": "-",
        "TargetOutboundDomainName": "-", "VirtualAccount": "%%1843", "TargetLinkedLogonId": "0x0",
        "ElevatedToken": "%%1842",
    }  # fmt: skip
    return record(at, computer, 4624, fields)


def logon_failed(at: datetime, computer: str, who: Account, cause: str, peer: Peer) -> Line:
    """4625 over NTLM: `cause` is the SubStatus, 0xc000006a wrong password, 0xc0000064 no such user."""
    fields = {
        "SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "SubjectLogonId": "0x0",
        "TargetUserSid": "S-1-0-0", "TargetUserName": who.name, "TargetDomainName": who.domain, "Status": "0xc000006d",
        "FailureReason": "%%2313", "SubStatus": cause, "LogonType": "3", "LogonProcessName": "NtLmSsp ",
        "AuthenticationPackageName": "NTLM", "WorkstationName": "-", "TransmittedServices": "-",
        "LmPackageName": "-", "KeyLength": "0", "ProcessId": "0x0", "ProcessName": "-", "IpAddress": peer.ip,
        "IpPort": str(peer.port),
    }  # fmt: skip
    return record(at, computer, 4625, fields)


def logoff(at: datetime, computer: str, who: Account, kind: int = 3) -> Line:
    """4634."""
    fields = {"TargetUserSid": who.sid, "TargetUserName": who.name, "TargetDomainName": who.domain,
              "TargetLogonId": who.session, "LogonType": str(kind)}  # fmt: skip
    return record(at, computer, 4634, fields)


def privileges(at: datetime, computer: str, who: Account) -> Line:
    """4672."""
    names = (
        "SeSecurityPrivilege",
        "SeBackupPrivilege",
        "SeRestorePrivilege",
        "SeDebugPrivilege",
        "SeTakeOwnershipPrivilege",
    )
    return record(at, computer, 4672, who.as_subject() | {"PrivilegeList": "\n\t\t\t".join(names)})


def process(at: datetime, computer: str, who: Account, program: Program, pid: int) -> Line:
    """4688."""
    fields = who.as_subject() | {
        "NewProcessId": hex(pid), "NewProcessName": program.image, "TokenElevationType": "%%1936",
        "ProcessId": hex(pid - 4),
        "CommandLine": program.command, "TargetUserSid": "S-1-0-0", "TargetUserName": "-", "TargetDomainName": "-",
        "TargetLogonId": "0x0", "ParentProcessName": program.parent, "MandatoryLabel": "S-1-16-12288",
    }  # fmt: skip
    return record(at, computer, 4688, fields)


def ticket(at: datetime, computer: str, who: Account, peer: Peer) -> Line:
    """4768: the first ticket of the day."""
    fields = {
        "TargetUserName": who.name, "TargetDomainName": who.domain, "TargetSid": who.sid, "ServiceName": "krbtgt",
        "ServiceSid": f"{DOMAIN_SID}-502", "TicketOptions": "0x40810010", "Status": "0x0",
        "TicketEncryptionType": "0x12", "PreAuthType": "2", "IpAddress": f"::ffff:{peer.ip}", "IpPort": str(peer.port),
        "CertIssuerName": "", "CertSerialNumber": "", "CertThumbprint": "",
    }  # fmt: skip
    return record(at, computer, 4768, fields)


def ticket_refused(at: datetime, computer: str, who: Account, peer: Peer) -> Line:
    """4771: the password was wrong."""
    fields = {
        "TargetUserName": who.name, "TargetSid": who.sid, "ServiceName": f"krbtgt/{who.domain}",
        "TicketOptions": "0x40810010", "Status": "0x18", "PreAuthType": "2", "IpAddress": f"::ffff:{peer.ip}",
        "IpPort": str(peer.port), "CertIssuerName": "", "CertSerialNumber": "", "CertThumbprint": "",
    }  # fmt: skip
    return record(at, computer, 4771, fields)


def service_ticket(
    at: datetime, computer: str, who: Account, service: Account, *, cipher: str = "0x12", peer: Peer
) -> Line:
    """4769: `cipher` is 0x12 for AES-256 and 0x17 for RC4."""
    realm = computer.partition(".")[2].upper()
    fields = {
        "TargetUserName": f"{who.name}@{realm}", "TargetDomainName": realm, "ServiceName": service.name,
        "ServiceSid": service.sid, "TicketOptions": "0x40810000", "TicketEncryptionType": cipher,
        "IpAddress": f"::ffff:{peer.ip}", "IpPort": str(peer.port), "Status": "0x0",
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}", "TransmittedServices": "-",
    }  # fmt: skip
    return record(at, computer, 4769, fields)


def account_created(at: datetime, computer: str, who: Account, new: Account) -> Line:
    """4720."""
    fields = who.as_subject() | {
        "TargetUserName": new.name, "TargetDomainName": new.domain, "TargetSid": new.sid, "PrivilegeList": "-",
        "SamAccountName": new.name, "DisplayName": new.name, "UserPrincipalName": "-", "HomeDirectory": "%%1793",
        "HomePath": "%%1793", "ScriptPath": "%%1793", "ProfilePath": "%%1793", "UserWorkstations": "%%1793",
        "PasswordLastSet": "%%1794", "AccountExpires": "%%1794", "PrimaryGroupId": "513", "AllowedToDelegateTo": "-",
        "OldUacValue": "0x0", "NewUacValue": "0x15", "UserAccountControl": "\r\n\t\t%%2080\r\n\t\t%%2082\r\n\t\t%%2084",
        "UserParameters": "%%1793", "SidHistory": "-", "LogonHours": "%%1797",
    }  # fmt: skip
    return record(at, computer, 4720, fields)


def member_added(at: datetime, computer: str, who: Account, member: Account, *, group: str, number: int) -> Line:
    """4728: `number` is the group's relative id, 512 for Domain Admins."""
    base = ",".join(f"DC={part}" for part in computer.split(".")[1:])
    fields = {
        "MemberName": f"CN={member.name},OU=Users,{base}", "MemberSid": member.sid, "TargetUserName": group,
        "TargetDomainName": who.domain, "TargetSid": f"{DOMAIN_SID}-{number}",
    }  # fmt: skip
    return record(at, computer, 4728, fields | who.as_subject() | {"PrivilegeList": "-"})


def locked_out(at: datetime, computer: str, system: Account, who: Account, workstation: str) -> Line:
    """4740: the field called TargetDomainName names the workstation."""
    fields = {"TargetUserName": who.name, "TargetDomainName": workstation, "TargetSid": who.sid}
    return record(at, computer, 4740, fields | system.as_subject())


def log_cleared(at: datetime, computer: str, who: Account) -> Line:
    """1102."""
    return record(at, computer, 1102, who.as_subject())


def service_installed(at: datetime, computer: str, name: str, path: str, start: str) -> Line:
    """7045."""
    fields = {
        "ServiceName": name,
        "ImagePath": path,
        "ServiceType": "user mode service",
        "StartType": start,
        "AccountName": "LocalSystem",
    }
    return record(at, computer, 7045, fields)
