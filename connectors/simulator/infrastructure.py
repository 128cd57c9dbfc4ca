"""Backup, virtual machines, databases and cameras, each in the words of its maker.

<14>1 2026-03-02T22:15:00.000000+07:00 backup01 Veeam_MP - - [origin enterpriseId="31023"] [… instanceId=190 …]
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge

from connectors.simulator.portal import MONTHS
from connectors.simulator.stream import Line, arrivals, later
from connectors.simulator.world import World

SOURCES = ("veeam", "vmware", "postgresql", "camera")
JOBS = ("VM nightly", "SQL log", "Mail store", "HIS full", "File servers", "DVC database")
MACHINES = ("web01", "web02", "db01", "his01", "dvc01", "hrm01", "lris01", "map01", "mail01", "ioc01")
TABLES = ("dossiers", "applicants", "employees", "visits", "invoices")


def veeam(at: datetime, code: int, job: str, text: str, **more: str) -> Line:
    """Write what the backup server says; `more` are User or Result."""
    own = "".join(f' {name}="{value}"' for name, value in more.items())
    head = f"<14>1 {at.isoformat(timespec='microseconds')} backup01 Veeam_MP - - "
    body = f'[categoryId=0 instanceId={code}{own} JobName="{job}" Version="1" Description="{text}"]'
    return Line(at, "veeam", f'{head}[origin enterpriseId="31023"] {body}')


def vcenter(at: datetime, number: int, event: str, text: str, *, user: str) -> Line:
    """Write one event of vCenter."""
    utc = at.astimezone(UTC)
    stamp = f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
    body = f"Event [{number}] [1-1] [{stamp}] [vim.event.{event}] [info] [{user}] [DC1] [{number}] [{text}]"
    return Line(at, "vmware", f"<14>1 {stamp} vcenter01 vpxd 4404 - - {body}")


def esx(at: datetime, host: str, event: str, text: str) -> Line:
    """Write one observation of a hypervisor."""
    utc = at.astimezone(UTC)
    stamp = f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
    return Line(at, "vmware", f"<14>{stamp} {host} vobd: [UserLevelCorrelator] {at.microsecond}us: [{event}] {text}")


def audit(
    at: datetime, client: tuple[str, str], kind: tuple[str, str], statement: str, *, program: str = "app"
) -> Line:
    """Write one statement of a client (user and address) that pgaudit saw, in csvlog."""
    user, ip = client
    utc = at.astimezone(UTC)
    stamp = f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03} UTC"
    text = f'AUDIT: SESSION,1,1,{kind[0]},{kind[1]},,,""{statement}"",<not logged>'
    own = f'"{user}","dvc",54,"{ip}:42608",5ff25ea4.36,6,"{kind[1]}",{utc:%Y-%m-%d %H:%M:%S} UTC,3/0,0'
    return Line(at, "postgresql", f'{stamp},{own},LOG,00000,"{text}",,,,,,,,,"{program}","client backend"')


def camera(at: datetime, recorder: str, kind: tuple[str, str], user: str, ip: str) -> Line:
    """Write one entry of a recorder's log: `kind` is major and minor."""
    clock = f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S}"
    return Line(at, "camera", f"<13>{clock} {recorder} nvr: Major: {kind[0]}, Minor: {kind[1]}, User: {user}, IP: {ip}")


def work(world: World) -> Iterator[Line]:
    """Yield the normal day."""
    return merge(_nights(world), _machines(world), _statements(world), _recorders(world), key=lambda line: line.at)


def _nights(world: World) -> Iterator[Line]:
    """Every night all jobs run, one after the other; sometimes one fails."""
    random, night = world.random("infrastructure/backup"), world.begin + timedelta(hours=20)
    while night < world.end:
        at = night
        for job in JOBS:
            yield veeam(at, 110, job, "The job has been started.")
            at = later(at, random, 900, 3000)
            result = random.choices(("Success", "Warning", "Failed"), (90, 8, 2))[0]
            yield veeam(at, 190, job, f"The job has finished with {result} state.", Result=result)
        yield veeam(later(at, random, 60, 600), 10050, JOBS[0], "Restore point has been removed by retention.")
        night += timedelta(days=1)


def _machines(world: World) -> Iterator[Line]:
    random, number = world.random("infrastructure/machines"), 4_000
    for at in arrivals(random, world.begin, world.end, 14 * world.size, lambda _: 1.0):
        number += 1
        host, vm, user = f"esx0{random.randrange(1, 4)}", random.choice(MACHINES), "GIALAI\\svc-vc"
        kind, text = random.choices(
            (
                ("VmMigratedEvent", f"{vm} on {host} is migrated"),
                ("AlarmStatusChangedEvent", f"{vm} on {host} has alarm CPU"),
                ("VmPoweredOffEvent", f"{vm} on {host} in DC1 is powered off"),
                ("UserLoginSessionEvent", "User logged in"),
            ),
            (10, 6, 1, 12),
        )[0]
        yield vcenter(at, number, kind, text, user=user)


def _statements(world: World) -> Iterator[Line]:
    random = world.random("infrastructure/statements")
    for at in arrivals(random, world.begin, world.end, 90 * world.size, world.public):
        table = random.choice(TABLES)
        kind, text = random.choice(
            (
                (("READ", "SELECT"), f"select * from {table} where id = $1"),  # noqa: S608  a line of a log
                (("WRITE", "UPDATE"), f"update {table} set state = $2 where id = $1"),  # noqa: S608  a line of a log
            )
        )
        yield audit(at, ("dvc_app", "10.55.0.12"), kind, text)


def _recorders(world: World) -> Iterator[Line]:
    random = world.random("infrastructure/recorders")
    for at in arrivals(random, world.begin, world.end, 30 * world.size, lambda _: 1.0):
        recorder, officer = f"nvr{random.randrange(1, 30):02}", random.choice(world.staff)
        kind = random.choices(
            (
                ("Operation", "Remote: Login"),
                ("Operation", "Remote: Logout"),
                ("Alarm", "Motion Detection Started"),
                ("Exception", "Video Loss"),
                ("Exception", "Illegal Login"),
            ),
            (8, 8, 20, 2, 0.2),
        )[0]
        yield camera(at, recorder, kind, "viewer", officer.ip)
