"""Attacks on the Linux servers, as auth.log shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator import auth
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World

ESCAPES = ("/usr/bin/vim -c :!/bin/sh /srv/portal/banner.txt", "/bin/bash",
           "/usr/sbin/useradd -o -u 0 -M -s /bin/bash sysupdate", "/usr/bin/cat /etc/shadow")  # fmt: skip


def brute_force(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody outside guesses root's and a supplier's password, and finds the supplier's."""
    host, ip = next(server.name for server in world.spec.servers if server.open), world.strangers[5]
    for _ in range(40):
        yield from _guesses(random, at, auth.session(random, host, random.choice(("root", "root", "nhathau")), 0, ip))
        at = later(at, random, 10, 14)
    login = auth.session(random, host, "nhathau", 1077, ip)
    yield from login.accepted(at, "password")
    yield from login.closed(later(at, random, 200, 900))


def _guesses(random: Random, at: datetime, login: auth.Session) -> Iterator[Line]:
    """Write six wrong passwords in one connection, which sshd then ends."""
    tried, rhost = f"{login.user} from {login.whence} ssh2", login.peer.ip
    failure = f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={rhost}"
    yield login.sshd(at, f"{failure}  user={login.user}")
    yield login.sshd(at, f"Failed password for {tried}")
    at = later(at, random, 4, 9)
    yield login.sshd(at, f"message repeated 5 times: [ Failed password for {tried}]")
    yield login.sshd(at, f"error: maximum authentication attempts exceeded for {tried} [preauth]")
    farewell = f"Disconnecting authenticating user {login.user} {login.whence}: Too many authentication failures"
    yield login.sshd(at, f"{farewell} [preauth]")


def root_shell(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An editor of the portal, who may run one command as root, turns it into everything."""
    host, who = world.spec.servers[0].name, world.staff[-1]
    login = auth.session(random, host, who.user, who.number, who.ip)
    yield from login.accepted(at, "password")
    at = later(at, random, 20, 60)
    refused = f"{who.user:>8} : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/{who.user} ; USER=root ; COMMAND=/bin/su -"
    yield auth.line(at, host, "sudo", refused)
    for command in ESCAPES:
        at = later(at, random, 15, 90)
        yield from login.sudo(at, command)
    yield from login.closed(later(at, random, 100, 300))
