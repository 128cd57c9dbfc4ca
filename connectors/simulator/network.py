"""The dedicated network: firewalls, routers, names, the proxy, mail and telephones.

date=2026-03-02 time=08:15:00 devname="fw-dc1" devid="FG100F" logid="0000000013" type="traffic" subtype="forward" …
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from random import Random

from connectors.simulator.portal import MONTHS
from connectors.simulator.stream import Line, arrivals
from connectors.simulator.world import Person, World

SOURCES = ("fortigate", "cisco_ios", "bind", "squid", "mail", "asterisk", "asterisk_cdr")
SITES = (
    "www.example.org",
    "news.example.com",
    "mail.example.net",
    "maps.example.com",
    "static.example.org",
    "update.example.net",
)
SERVERS = ("10.55.0.11", "10.55.0.12", "10.55.0.21", "10.55.0.31", "10.55.16.41")


def firewall(at: datetime, logid: str, kind: tuple[str, str], rest: str) -> Line:
    """Write one record of the firewall in the data centre."""
    clock = f'date={at:%Y-%m-%d} time={at:%H:%M:%S} devname="fw-dc1" devid="FG100F" logid="{logid}"'
    what = f'type="{kind[0]}" subtype="{kind[1]}" level="notice" vd="root" eventtime={int(at.timestamp())} tz="+0700"'
    return Line(at, "fortigate", f"{clock} {what} {rest}")


def traffic(
    at: datetime,
    source: str,
    target: str,
    port: int,
    action: str,
    *,
    way: tuple[str, str] = ("tslcd", "dc"),
    sent: int = 900,
) -> Line:
    """Write one connection through the firewall; `way` is the interface in and out."""
    begin = f'srcip={source} srcport={49_152 + at.microsecond % 9_000} srcintf="{way[0]}"'
    end = f'dstip={target} dstport={port} dstintf="{way[1]}"'
    size = f"duration=3 sentbyte={sent} rcvdbyte={sent * 3}"
    rest = f'{begin} {end} proto=6 action="{action}" policyid=7 service="tcp/{port}" {size}'
    return firewall(at, "0000000013", ("traffic", "forward"), rest)


def vpn(at: datetime, user: str, ip: str, action: str) -> Line:
    """Write one step of the SSL VPN: ssl-login-fail, tunnel-up, tunnel-down."""
    logid = "0101039426" if action == "ssl-login-fail" else "0101039424"
    return firewall(
        at, logid, ("event", "vpn"), f'logdesc="SSL VPN {action}" action="{action}" remip={ip} user="{user}"'
    )


def router(at: datetime, number: int, message: str, device: str = "ce-core1") -> Line:
    """Write one message of IOS."""
    stamp = f"{MONTHS[at.month - 1]} {at.day:2} {at.year} {at:%H:%M:%S}"
    return Line(at, "cisco_ios", f"<165>{number}: {device}: {number:06}: {stamp}: %{message}")


def query(at: datetime, ip: str, name: str, kind: str = "A") -> Line:
    """Write one question to the name server."""
    clock = f"{at.day:02}-{MONTHS[at.month - 1]}-{at.year} {at:%H:%M:%S}.{at.microsecond // 1000:03}"
    client = f"client @0x7f65100ee4d8 {ip}#{49_152 + at.microsecond % 9_000} ({name})"
    return Line(at, "bind", f"{clock} queries: info: {client}: query: {name} IN {kind} +E(0)K (10.55.0.53)")


def surf(
    at: datetime, who: Person, url: str, *, kind: str = "text/html", method: str = "GET", size: int = 9_000
) -> Line:
    """Write one request to the proxy."""
    result = "TCP_TUNNEL" if method == "CONNECT" else "TCP_MISS"
    head = f"{at.timestamp():.3f} {50 + size % 900:6} {who.ip} {result}/200 {size}"
    return Line(at, "squid", f"{head} {method} {url} {who.user} HIER_DIRECT/198.51.100.9 {kind}")


def mail(at: datetime, program: str, text: str) -> Line:
    """Write one line of the mail server."""
    return Line(at, "mail", f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} mx01 {program}: {text}")


def telephone(at: datetime, event: str, extension: str, ip: str) -> Line:
    """Write one security event of the telephone switch."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0700"
    ends = f'LocalAddress="IPV4/UDP/10.55.32.5/5060",RemoteAddress="IPV4/UDP/{ip}/5071"'
    text = f'SecurityEvent="{event}",EventTV="{stamp}",Severity="Informational",Service="PJSIP",EventVersion="2"'
    head = f"[{at:%Y-%m-%d %H:%M:%S}] SECURITY[1310] res_security_log.c: "
    return Line(at, "asterisk", f'{head}{text},AccountID="{extension}",SessionID="{at.microsecond:06}",{ends}')


def call(at: datetime, extension: str, number: str, seconds: int) -> Line:
    """Write the record of one answered call."""
    start, channel = f"{at:%Y-%m-%d %H:%M:%S}", f"PJSIP/{extension}-{at.microsecond:08x}"
    ends = f'"PJSIP/trunk-{at.microsecond:08x}","Dial","PJSIP/{number}@trunk","{start}","{start}","{start}"'
    head = f'"","{extension}","{number}","from-internal","""{extension}"" <{extension}>","{channel}"'
    return Line(
        at, "asterisk_cdr", f'{head},{ends},{seconds},{seconds},"ANSWERED","DOCUMENTATION","{at.timestamp():.6f}",""'
    )


def work(world: World) -> Iterator[Line]:
    """Yield the normal day."""
    parts = (
        _traffic(world),
        _tunnels(world),
        _routers(world),
        _names(world),
        _proxy(world),
        _mail(world),
        _voice(world),
    )
    return merge(*parts, key=lambda line: line.at)


def _traffic(world: World) -> Iterator[Line]:
    random = world.random("network/traffic")
    for at in arrivals(random, world.begin, world.end, 420 * world.size, lambda at: max(0.1, world.office(at))):
        action = random.choices(("close", "timeout", "deny"), (95, 3, 2))[0]
        yield traffic(
            at,
            random.choice(world.staff).ip,
            random.choice(SERVERS),
            random.choice((443, 443, 80, 53)),
            action,
            sent=random.randrange(200, 90_000),
        )


def _tunnels(world: World) -> Iterator[Line]:
    random = world.random("network/tunnels")
    for at in arrivals(random, world.begin, world.end, 4 * world.size, world.public):
        who, ip = random.choice(world.staff), random.choice(world.citizens)
        if random.random() < 0.1:
            yield vpn(at, who.user, ip, "ssl-login-fail")
        else:
            yield vpn(at, who.user, ip, "tunnel-up")


def _routers(world: World) -> Iterator[Line]:
    random = world.random("network/routers")
    for number, at in enumerate(arrivals(random, world.begin, world.end, 6 * world.size, lambda _: 1.0), 7_000):
        yield router(at, number, random.choice((
            "LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to up",
            "SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: netadm] [Source: 10.55.240.12] [localport: 22] at x",
            "SYS-5-CONFIG_I: Configured from console by netadm on vty0 (10.55.240.12)",
            "PARSER-5-CFGLOG_LOGGEDCMD: User:netadm  logged command:interface Gi0/2")))  # fmt: skip


def _names(world: World) -> Iterator[Line]:
    random = world.random("network/names")
    for at in arrivals(random, world.begin, world.end, 360 * world.size, lambda at: max(0.1, world.office(at))):
        yield query(at, random.choice(world.staff).ip, random.choice(SITES), random.choice(("A", "A", "AAAA", "HTTPS")))


def _proxy(world: World) -> Iterator[Line]:
    random = world.random("network/proxy")
    for at in arrivals(random, world.begin, world.end, 240 * world.size, world.office):
        who, site = random.choice(world.staff), random.choice(SITES)
        yield surf(at, who, f"{site}:443", kind="-", method="CONNECT", size=random.randrange(900, 90_000))


def _mail(world: World) -> Iterator[Line]:
    random = world.random("network/mail")
    for at in arrivals(random, world.begin, world.end, 60 * world.size, world.office):
        who, ip = random.choice(world.staff), random.choice(world.citizens)
        if random.random() < 0.03:
            yield mail(
                at,
                "postfix/smtpd[2211]",
                f"warning: unknown[{ip}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={who.user}",
            )
        else:
            yield mail(
                at,
                "dovecot",
                f"imap-login: Login: user=<{who.user}>, method=PLAIN, rip={who.ip}, lip=10.55.0.25, mpid=1234, TLS, "
                f"session=<{at.microsecond:06}>",
            )


def _voice(world: World) -> Iterator[Line]:
    random = world.random("network/voice")
    for at in arrivals(random, world.begin, world.end, 50 * world.size, world.public):
        extension = str(6_000 + random.randrange(40))
        if random.random() < 0.5:
            yield telephone(
                at,
                random.choices(("SuccessfulAuth", "ChallengeSent", "InvalidPassword"), (60, 39, 0.3))[0],
                extension,
                _desk(random),
            )
        else:
            yield call(at, extension, f"0900000{random.randrange(1000):03}", random.randrange(20, 400))


def _desk(random: Random) -> str:
    return f"10.55.32.{random.randrange(20, 60)}"
