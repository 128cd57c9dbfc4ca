"""The auth.log of the Linux servers: sshd, sudo, cron and logind in RFC 3164 lines, without a year.

Nov 18 08:03:11 web01 sshd[20311]: Accepted publickey for lannt from 10.55.240.12 port 51234 ssh2: ED25519 SHA256:…
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from heapq import merge
from random import Random

from connectors.simulator.portal import MONTHS
from connectors.simulator.stream import Line, arrivals, in_order, later
from connectors.simulator.world import Peer, Person, World, peer

SOURCE = "auth"
CHORES = (
    "/usr/bin/systemctl reload nginx", "/usr/bin/systemctl status postgresql", "/usr/bin/apt-get update",
    "/usr/bin/apt-get upgrade -y", "/usr/bin/journalctl -u nginx --since today", "/usr/bin/tail -n 200 /var/log/syslog",
    "/usr/bin/df -h", "/usr/bin/nano /etc/nginx/sites-available/portal.conf", "/usr/sbin/nginx -t",
)  # fmt: skip
GUESSED = ("admin", "test", "oracle", "ubuntu", "ftpuser", "postgres", "git", "user", "hadoop", "minecraft")


def line(at: datetime, host: str, program: str, message: str, pid: int | None = None) -> Line:
    """Write one line as rsyslog's traditional format does."""
    tag = program if pid is None else f"{program}[{pid}]"
    return Line(at, SOURCE, f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {host} {tag}: {message}")


@dataclass(frozen=True, slots=True)
class Session:
    """One connection of somebody to the sshd of a host."""

    host: str
    pid: int
    user: str
    uid: int
    peer: Peer

    @property
    def whence(self) -> str:
        """Return the peer in sshd's words."""
        return f"{self.peer.ip} port {self.peer.port}"

    def sshd(self, at: datetime, message: str) -> Line:
        return line(at, self.host, "sshd", message, self.pid)

    def accepted(self, at: datetime, how: str) -> Iterator[Line]:
        """Write a login, `how` being "password" or "publickey"."""
        key = b64encode(sha256(self.user.encode()).digest()).decode().rstrip("=")
        proof = f": ED25519 SHA256:{key}" if how == "publickey" else ""
        yield self.sshd(at, f"Accepted {how} for {self.user} from {self.whence} ssh2{proof}")
        yield self.sshd(at, f"pam_unix(sshd:session): session opened for user {self.user}(uid={self.uid}) by (uid=0)")
        yield line(at, self.host, "systemd-logind", f"New session {self.pid % 9000} of user {self.user}.", 612)

    def closed(self, at: datetime) -> Iterator[Line]:
        """Write a logout."""
        yield self.sshd(at, f"Received disconnect from {self.whence}:11: disconnected by user")
        yield self.sshd(at, f"Disconnected from user {self.user} {self.whence}")
        yield self.sshd(at, f"pam_unix(sshd:session): session closed for user {self.user}")

    def unknown(self, at: datetime) -> Iterator[Line]:
        """Write one guess at an account that doesn't exist."""
        yield self.sshd(at, f"Invalid user {self.user} from {self.whence}")
        yield self.sshd(at, f"Failed password for invalid user {self.user} from {self.whence} ssh2")
        yield self.sshd(at, f"Connection closed by invalid user {self.user} {self.whence} [preauth]")

    def sudo(self, at: datetime, command: str) -> Iterator[Line]:
        """Write one allowed command run as root."""
        what = f"{self.user:>8} : TTY=pts/0 ; PWD=/home/{self.user} ; USER=root ; COMMAND={command}"
        yield line(at, self.host, "sudo", what)
        opened = f"pam_unix(sudo:session): session opened for user root(uid=0) by {self.user}(uid={self.uid})"
        yield line(at, self.host, "sudo", opened)
        ended = "pam_unix(sudo:session): session closed for user root"
        yield line(at + timedelta(seconds=2), self.host, "sudo", ended)


def session(random: Random, host: str, user: str, uid: int, ip: str) -> Session:
    """Begin a connection."""
    return Session(host, random.randrange(2_000, 60_000), user, uid, peer(random, ip))


def work(world: World) -> Iterator[Line]:
    """Yield what administrators, timers, the nightly backup and passers-by leave in the logs."""
    return merge(_visits(world), _timers(world), _backups(world), _passers_by(world), key=lambda line: line.at)


def _visits(world: World) -> Iterator[Line]:
    random = world.random("auth/visits")
    begins = arrivals(random, world.begin, world.end, 9, world.office)
    return in_order((begin, _visit(world, random, begin)) for begin in begins)


def _visit(world: World, random: Random, at: datetime) -> Iterator[Line]:
    who, server = random.choice(world.administrators), random.choice(world.spec.servers)
    login = session(random, server.name, who.user, who.number, who.ip)
    if random.random() < 0.08:
        yield login.sshd(at, f"Failed password for {who.user} from {login.whence} ssh2")
        at = later(at, random, 3, 15)
    yield from login.accepted(at, random.choice(("publickey", "publickey", "password")))
    for _ in range(random.randrange(5)):
        at = later(at, random, 10, 400)
        yield from login.sudo(at, _chore(random, who))
    yield from login.closed(later(at, random, 20, 900))


def _chore(random: Random, who: Person) -> str:
    """Choose a command; now and then somebody is lazy and takes a root shell."""
    if who.number % 2 and random.random() < 0.02:
        return "/bin/bash"
    return random.choice(CHORES)


def _timers(world: World) -> Iterator[Line]:
    random = world.random("auth/timers")
    at = world.begin + timedelta(seconds=1)
    while at < world.end:
        for server in world.spec.servers:
            pid = random.randrange(2_000, 60_000)
            opened = "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
            yield line(at, server.name, "CRON", opened, pid)
            yield line(at, server.name, "CRON", "pam_unix(cron:session): session closed for user root", pid)
        at += timedelta(minutes=10)


def _backups(world: World) -> Iterator[Line]:
    """At night the backup server fetches every server's data."""
    random, night = world.random("auth/backups"), world.begin + timedelta(hours=1)
    source = str(next(server.ip for server in world.spec.servers if server.backup))
    while night < world.end:
        at = night
        for server in world.spec.servers:
            login = session(random, server.name, "backup", 34, source)
            yield from login.accepted(at, "publickey")
            yield from login.sudo(at, "/usr/bin/rsync --server --sender -logDtpr . /srv")
            at = later(at, random, 300, 900)
            yield from login.closed(at)
        night += timedelta(days=1)


def _passers_by(world: World) -> Iterator[Line]:
    """Servers that face the Internet are tried by everybody, one guess at a time."""
    random = world.random("auth/passers-by")
    doors = [server.name for server in world.spec.servers if server.open]
    for at in arrivals(random, world.begin, world.end, 14 * len(doors), lambda _: 1.0):
        ip = random.choice(world.citizens)
        yield from session(random, random.choice(doors), random.choice(GUESSED), 0, ip).unknown(at)
