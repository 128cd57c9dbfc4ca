"""A working day of the Windows domain, as its controllers see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from heapq import merge
from random import Random

from connectors.simulator import windows
from connectors.simulator.stream import Line, arrivals, in_order, later
from connectors.simulator.windows import DOMAIN_SID, SYSTEM_SID, Account, Program
from connectors.simulator.world import Peer, Person, World, peer

SYSTEM32 = "C:\\Windows\\System32\\"
POWERSHELL = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
HOUSEKEEPING = (
    Program(SYSTEM32 + "svchost.exe", SYSTEM32 + "svchost.exe -k netsvcs -p -s Schedule", SYSTEM32 + "services.exe"),
    Program(SYSTEM32 + "wbem\\WmiPrvSE.exe", SYSTEM32 + "wbem\\wmiprvse.exe -Embedding", SYSTEM32 + "svchost.exe"),
    Program(SYSTEM32 + "taskhostw.exe", "taskhostw.exe", SYSTEM32 + "svchost.exe"),
    Program(SYSTEM32 + "conhost.exe", "\\??\\" + SYSTEM32 + "conhost.exe 0xffffffff -ForceV1", POWERSHELL),
    Program(SYSTEM32 + "wevtutil.exe", "wevtutil.exe qe Security /c:1 /f:text", SYSTEM32 + "svchost.exe"),
)
ERRANDS = (
    Program(SYSTEM32 + "mmc.exe", f'"{SYSTEM32}mmc.exe" "{SYSTEM32}dsa.msc"', "C:\\Windows\\explorer.exe"),
    Program(POWERSHELL, "powershell.exe -ExecutionPolicy Bypass -File C:\\Scripts\\list.ps1", SYSTEM32 + "cmd.exe"),
    Program(SYSTEM32 + "gpupdate.exe", "gpupdate /force", SYSTEM32 + "cmd.exe"),
    Program(SYSTEM32 + "net.exe", "net user /domain", SYSTEM32 + "cmd.exe"),
)
BACKUP = Program(SYSTEM32 + "wbadmin.exe", "wbadmin start systemstatebackup -backupTarget:E: -quiet",
                 SYSTEM32 + "svchost.exe")  # fmt: skip


def controller(world: World, number: int = 0) -> str:
    """Return the full name of a domain controller."""
    return f"{world.spec.controllers[number].name}.{world.spec.domain}"


def account(world: World, name: str, number: int, session: str = "0x3e7") -> Account:
    """Return an account of the domain by its relative id."""
    return Account(name, f"{DOMAIN_SID}-{number}", world.spec.netbios, session)


def person(world: World, who: Person, random: Random) -> Account:
    """Return somebody's account in a new logon session."""
    return account(world, who.user, who.number, hex(random.randrange(0x10000, 0xFFFFFFF)))


def services(world: World) -> tuple[Account, ...]:
    """Return the accounts that services run as."""
    return tuple(account(world, service.name, 2600 + place) for place, service in enumerate(world.spec.services))


def machine(world: World, computer: str) -> Account:
    """Return the account of a controller itself."""
    return Account(f"{computer.partition('.')[0].upper()}$", SYSTEM_SID, world.spec.netbios)


def work(world: World) -> Iterator[Line]:
    """Yield the domain's normal day: people, computers, administrators, backup."""
    parts = (_mornings(world), _visits(world), _computers(world), _housekeeping(world), _administration(world),
             _backups(world))  # fmt: skip
    return merge(*parts, key=lambda line: line.at)


def _mornings(world: World) -> Iterator[Line]:
    """Everybody logs on when coming to work, a few after typing the password wrong."""
    random, day = world.random("domain/mornings"), world.begin
    while day < world.end:
        present = 0.94 if world.works(day.date()) else 0.04
        opening = datetime.combine(day.date(), world.spec.hours.morning[0], world.zone)
        begins = [(later(opening - timedelta(minutes=25), random, 0, 3600), who) for who in world.staff]
        come = sorted((pair for pair in begins if random.random() < present), key=lambda pair: (pair[0], pair[1].user))
        yield from in_order((at, _morning(world, random, at, who)) for at, who in come)
        day += timedelta(days=1)


def _morning(world: World, random: Random, at: datetime, who: Person) -> Iterator[Line]:
    host, user = controller(world, random.randrange(len(world.spec.controllers))), person(world, who, random)
    desk = peer(random, who.ip)
    mistakes = random.choices((0, 1, 2, 5), (90, 7, 2, 1))[0]
    for _ in range(mistakes):
        yield windows.ticket_refused(at, host, user, desk)
        at = later(at, random, 4, 12)
    if mistakes == 5:
        yield windows.locked_out(at, host, machine(world, host), user, who.computer.upper())
        at = later(at, random, 300, 900)  # until the help desk answers
    yield windows.ticket(at, host, user, desk)
    yield windows.logon(later(at, random, 0.2, 0.9), host, user, peer(random, who.ip))
    yield windows.logoff(later(at, random, 2, 40), host, user)


def _visits(world: World) -> Iterator[Line]:
    """All day people open the applications, and sometimes a wrong password goes over NTLM."""
    random = world.random("domain/visits")
    for at in arrivals(random, world.begin, world.end, 3.2 * len(world.staff), world.office):
        who, host = random.choice(world.staff), controller(world, random.randrange(len(world.spec.controllers)))
        user, desk = person(world, who, random), peer(random, who.ip)
        if random.random() < 0.01:
            name = random.choice((*[who.user] * 9, who.user.upper() + " "))
            cause = "0xc000006a" if name == who.user else "0xc0000064"
            yield windows.logon_failed(at, host, replace(user, name=name), cause, desk)
        else:
            service, cipher = _application(world, random)
            yield windows.service_ticket(at, host, user, service, cipher=cipher, peer=desk)


def _application(world: World, random: Random) -> tuple[Account, str]:
    """Choose a service, and the cipher of its ticket; hardly anybody still opens the old ones."""
    place = random.randrange(len(world.spec.services))
    legacy = world.spec.services[place].legacy
    if legacy and random.random() > 0.01:
        place, legacy = 0, world.spec.services[0].legacy
    return services(world)[place], "0x17" if legacy else "0x12"


def _computers(world: World) -> Iterator[Line]:
    """Computers renew tickets and fetch policies day and night, whoever sits there."""
    random = world.random("domain/computers")
    begins = arrivals(random, world.begin, world.end, 90, lambda at: max(0.5, world.office(at)))
    return in_order((at, _renewal(world, random, at, random.choice(world.staff))) for at in begins)


def _renewal(world: World, random: Random, at: datetime, who: Person) -> Iterator[Line]:
    host, desk = controller(world), peer(random, who.ip)
    own = account(world, f"{who.computer.upper()}$", who.number + 5_000, hex(random.randrange(0x10000, 0xFFFFFFF)))
    yield windows.service_ticket(at, host, own, machine(world, host), peer=desk)
    yield windows.logon(later(at, random, 0.1, 0.5), host, own, desk)
    yield windows.logoff(later(at, random, 1, 30), host, own)


def _housekeeping(world: World) -> Iterator[Line]:
    random = world.random("domain/housekeeping")
    for at in arrivals(random, world.begin, world.end, 40, lambda _: 1.0):
        host = controller(world, random.randrange(len(world.spec.controllers)))
        number = 4 * random.randrange(200, 5_000)
        yield windows.process(at, host, machine(world, host), random.choice(HOUSEKEEPING), number)


def _administration(world: World) -> Iterator[Line]:
    random = world.random("domain/administration")
    begins = arrivals(random, world.begin, world.end, 5, world.office)
    return in_order((at, _errand(world, random, at)) for at in begins)


def _errand(world: World, random: Random, at: datetime) -> Iterator[Line]:
    who, host = random.choice(world.administrators), controller(world)
    user = person(world, who, random)
    yield windows.logon(at, host, user, peer(random, who.ip), kind=10)
    yield windows.privileges(at, host, user)
    at = later(at, random, 5, 60)
    yield windows.process(at, host, user, random.choice(ERRANDS), 4 * random.randrange(200, 5_000))
    if random.random() < 0.06:  # a new colleague
        number = random.randrange(4_000, 4_900)
        new = account(world, f"tapsu{number}", number)
        yield windows.account_created(later(at, random, 20, 40), host, user, new)
        yield windows.member_added(later(at, random, 50, 90), host, user, new, group="GG-VanPhong", number=1601)
    elif random.random() < 0.04:
        path = '"C:\\Program Files\\Backup Agent\\agent.exe" --service'
        yield windows.service_installed(later(at, random, 60, 90), host, "BackupAgent", path, "auto start")
    yield windows.logoff(later(at, random, 100, 1200), host, user, kind=10)


def _backups(world: World) -> Iterator[Line]:
    day, user = world.begin, account(world, "svc-backup", 2650, "0x7a11c0")
    while day < world.end:
        for place, server in enumerate(world.spec.controllers):
            host, at = controller(world, place), datetime.combine(day.date(), time(2, 5 * place), world.zone)
            yield windows.logon(at, host, user, Peer(str(server.ip), 0), kind=5)
            yield windows.privileges(at, host, user)
            yield windows.process(at, host, user, BACKUP, 4 * (700 + place))
            yield windows.logoff(at + timedelta(minutes=4), host, user, kind=5)
        day += timedelta(days=1)
