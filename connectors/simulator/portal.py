"""The web log of the provincial portal, in nginx's combined format.

203.0.113.9 - - [18/Nov/2026:08:00:01 +0700] "GET /tin-tuc HTTP/1.1" 200 18231 "https://www…/" "Mozilla/5.0 …"
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from random import Random
from urllib.parse import quote_plus

from connectors.simulator.stream import Line, arrivals, in_order, later
from connectors.simulator.world import World

SOURCE = "portal"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # not the locale's
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/131.0.0 "
    "Chrome/125.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; SM-A156E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-A055F) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 "
    "Mobile Safari/537.36 Zalo android/25090 ZaloTheme/light ZaloLanguage/vi",
)
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; coccocbot-web/1.0; +http://help.coccoc.com/searchengine)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)
PAGES = ("/", "/tin-tuc", "/thong-bao", "/gioi-thieu", "/lien-he", "/van-ban", "/dich-vu-cong", "/cong-dan-hoi",
         "/lich-cong-tac", "/tuyen-dung", "/du-an-dau-tu", "/sitemap.xml")  # fmt: skip
ASSETS = ("/static/css/main.css", "/static/js/app.js", "/static/img/logo.png", "/favicon.ico", "/static/fonts/vn.woff2")
WISHES = ("cấp đổi giấy phép lái xe", "đăng ký khai sinh", "lịch cắt điện", "bảng giá đất 2026", "tuyển sinh lớp 10",
          "select a service", "union meeting and election", "mã số thuế 0101", "kết quả xổ số",
          "O'Brien visa")  # fmt: skip
# What the Internet tries on every address all day long: noise, not an attack on this portal.
KNOCKS = (
    "/wp-login.php",
    "/xmlrpc.php",
    "/robots.txt",
    "/.env",
    "/admin",
    "/phpmyadmin/",
    "/login.action",
    "/actuator",
)


def line(at: datetime, ip: str, request: str, status: int, size: int, *, agent: str, referer: str = "-") -> Line:
    """Write one request, as `GET /path HTTP/1.1`, the way nginx does."""
    clock = f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} {at:%z}"
    return Line(at, SOURCE, f'{ip} - - [{clock}] "{request}" {status} {size} "{referer}" "{agent}"')


def work(world: World) -> Iterator[Line]:
    """Yield what citizens, crawlers and the background noise of the Internet leave in the log."""
    return merge(_visits(world), _crawls(world), _noise(world), _checks(world), key=lambda line: line.at)


def _visits(world: World) -> Iterator[Line]:
    random = world.random("portal/visits")
    begins = arrivals(random, world.begin, world.end, world.spec.portal.visits_per_hour, world.public)
    return in_order((begin, _visit(world, random, begin)) for begin in begins)


def _visit(world: World, random: Random, begin: datetime) -> Iterator[Line]:
    ip, agent = random.choice(world.citizens), random.choice(BROWSERS)
    home = f"https://{world.spec.portal.host}"
    at, referer = begin, random.choice(("-", "-", "https://www.google.com/", "https://zalo.me/"))
    for view in range(random.randrange(1, 6)):
        path = _page(random)
        status = random.choices((200, 304, 404, 302, 499), (86, 6, 4, 3, 1))[0]
        yield line(at, ip, f"GET {path} HTTP/1.1", status, _size(random, status, 40_000), agent=agent, referer=referer)
        referer = home + path
        for asset in ASSETS[: random.randrange(3, 6)] if view == 0 else ():
            moment = later(at, random, 0.05, 1.5)
            yield line(
                moment, ip, f"GET {asset} HTTP/1.1", 200, _size(random, 200, 90_000), agent=agent, referer=referer
            )
        at = later(at, random, 4, 90)
    if random.random() < 0.03:  # a question to the authorities, sometimes with a picture
        yield line(at, ip, "POST /cong-dan-hoi/gui HTTP/1.1", 302, 0, agent=agent, referer=referer)
        if random.random() < 0.5:
            name = f"/uploads/cong-dan/{at:%Y/%m}/{random.randrange(10**6):06}.jpg"
            size = _size(random, 200, 900_000)
            yield line(later(at, random, 1, 4), ip, f"GET {name} HTTP/1.1", 200, size, agent=agent)


def _page(random: Random) -> str:
    kind = random.random()
    if kind < 0.12:
        return f"/tim-kiem?q={quote_plus(random.choice(WISHES))}&page={random.randrange(1, 4)}"
    if kind < 0.45:
        return f"/tin-tuc/{random.randrange(1000, 9999)}.html"
    if kind < 0.6:
        return f"/van-ban?loai={random.choice(('QD', 'CV', 'TB'))}&id={random.randrange(100, 900)}"
    return random.choice(PAGES)


def _size(random: Random, status: int, most: int) -> int:
    return 0 if status in {302, 304, 499} else random.randrange(600, most)


def _crawls(world: World) -> Iterator[Line]:
    """Crawlers never sleep, and keep their addresses."""
    random = world.random("portal/crawls")
    homes = [(agent, world.citizens[number]) for number, agent in enumerate(CRAWLERS)]
    for at in arrivals(random, world.begin, world.end, world.spec.portal.crawls_per_hour, lambda _: 1.0):
        agent, ip = random.choice(homes)
        status = random.choices((200, 304, 404, 301), (70, 18, 10, 2))[0]
        yield line(at, ip, f"GET {_page(random)} HTTP/1.1", status, _size(random, status, 40_000), agent=agent)


def _noise(world: World) -> Iterator[Line]:
    random = world.random("portal/noise")
    for at in arrivals(random, world.begin, world.end, 6, lambda _: 1.0):
        agent = random.choice(("-", "Go-http-client/1.1", "curl/8.5.0", *BROWSERS[:2]))
        path = random.choice(KNOCKS)
        status = 200 if path == "/robots.txt" else 404
        yield line(at, random.choice(world.citizens), f"GET {path} HTTP/1.1", status, 162, agent=agent)


def _checks(world: World) -> Iterator[Line]:
    """The load balancer asks every minute whether the portal lives."""
    at = world.begin + timedelta(seconds=7)
    while at < world.end:
        yield line(at, str(world.spec.servers[0].ip), "GET /health HTTP/1.1", 200, 2, agent="kube-probe/1.30")
        at += timedelta(minutes=1)
