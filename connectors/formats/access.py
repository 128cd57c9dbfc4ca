r"""Access logs of Apache, nginx and what imitates them: common, combined, after a virtual host, and Apache's TLS log.

    portal.example.com 192.0.2.7 - lan [07/Dec/2025:11:05:07 +0700] "GET /a?b=1 HTTP/1.1" 200 571 "-" "curl/8.5"
    192.0.2.7 - - [07/Dec/2025:11:05:07 +0700] "GET / HTTP/1.1" 200 571 "-" "curl/8.5" 262 "app@docker" "http://…" 2ms
    [07/Dec/2025:11:05:07 +0700] 192.0.2.7 TLSv1.3 TLS_AES_256_GCM_SHA384 "GET /a?b=1 HTTP/1.1" 571

Own columns: the names of Sigma's web server rules, and `time` and `request`. `-` means missing. A request that is no
HTTP (scanners send anything) stays in `request` alone. Of a chain of X-Forwarded-For the first public address is the
client. What nginx's ingress controller and Traefik write behind the agent is read when it is wanted. Of errors among
the lines, as containers write them, time, client, user and request are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import first_fit, groups
from connectors.formats.frames import ERROR, scatter

OWN: Final = {  # own column: group of the patterns
    "c-ip": "client",
    "cs-host": "host",
    "cs-method": "method",
    "cs-referer": "referer",
    "cs-uri": "uri",
    "cs-uri-query": "query",
    "cs-uri-stem": "stem",
    "cs-user-agent": "agent",
    "cs-username": "user",
    "cs-version": "version",
    "request": "request",
    "sc-bytes": "bytes",
    "sc-status": "status",
    "time": "time",
}
TAIL_OWN: Final = {
    "cs-bytes": "length",  # of the whole request
    "request-id": "id",
    "s-router": "router",
    "s-upstream": "upstream",
    "time-taken": "taken",  # milliseconds
}

# <190>Mar  2 08:15:00 web01 nginx: as servers send them to a syslog server
HEADER: Final = (
    r"^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) "
    r"(?:[\w.:-]+ )?[A-Za-z][\w./-]*(?:\[\d+\])?: "
)
# Nearly every line: one pass without a choice, three times as fast as the general one.
USUAL: Final = (
    r'^(?P<client>[0-9A-Fa-f.:]+) \S+ (?P<user>[^\s\["]+) \[(?P<time>[^\]]+)\] '
    r'"(?P<request>(?P<method>[A-Z]+) (?P<uri>(?P<stem>/[^?"\\ ]*)(?:\?(?P<query>[^"\\ ]*))?) '
    r'HTTP/(?P<version>[\d.]+))" '
    r'(?P<status>\d{3}) (?P<bytes>\d+|-) "(?P<referer>[^"\\]*)" "(?P<agent>[^"\\]*)"'
)
AFTER: Final = (
    r"\[(?P<time>[^\]]+)\] "  # 07/Dec/2025:11:05:07 +0700
    r'"(?P<request>(?:[^"\\]|\\.)*)" '  # GET /a?b=1 HTTP/1.1
    r"(?P<status>\d{3}|-) (?P<bytes>\d+|-)"
    r'(?:(?: [^\s"]+){0,4} "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)(?:"|$))?'
)
# 192.0.2.7:443 identd lan [: no virtual host stands before three fields
PLAIN: Final = (
    r"^(?P<client>\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)(?::\d{1,5})? "
    r'(?P<identity>\S+) (?:(?P<user>[^\s\["]+)|"") '
) + AFTER
LINE: Final = (
    r'^(?:(?P<host>[^\s,:"\[]+)(?::\d+)? )?'  # portal.example.com:443
    r'"?(?P<client>[^\s,"\[-][^\s,"]*(?:, ?[^\s,"]+)*)"? '  # 192.0.2.7, 198.51.100.1: X-Forwarded-For
    r"(?:[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+ )?"  # the proxy that sent it
    r"\S+ "  # identd, always "-"
    r'(?:(?P<user>[^\["]+?) )?'
) + AFTER
TLS: Final = (
    r"^\[(?P<time>[^\]]+)\] (?P<client>[0-9A-Fa-f.:]+) (?:TLS|SSL)\S+ \S+ "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<bytes>\d+|-)'
)
# [24/Jan/2026:16:51:02 +0700] - 404 404 - GET http app.example.com "/x" [Client 192.0.2.7] [Length 192] … "curl" "-"
MANAGER: Final = (
    r"^\[(?P<time>[^\]]+)\] (?:\S+ )?(?:\d{3} |- )?(?P<status>\d{3}) - (?P<method>[A-Z]+) https? (?P<host>\S+) "
    r'"(?P<uri>(?P<stem>[^?"]*)(?:\?(?P<query>[^"]*))?)" \[Client (?P<client>[^\]]+)\] \[Length (?P<bytes>\d+)\]'
    r'.*? "(?P<agent>(?:[^"\\]|\\.)*)" "(?P<referer>(?:[^"\\]|\\.)*)"'
)
# What servers say of errors, where both go to one stream, as those of containers do.
NGINX_ERROR: Final = (
    r'^(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[[a-z]+\] \d+#\d+: (?:\*\d+ )?(?:user "(?P<user>[^"]+)")?'
    r'.*?, client: (?P<client>[0-9A-Fa-f.:]+), server: [^,]*(?:, request: "(?P<request>(?:[^"\\]|\\.)*)")?'
)
APACHE_ERROR: Final = (
    r"^\[(?P<time>(?:[A-Z][a-z]{2} ){2}\d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[[^\]]*\] (?:\[pid [^\]]*\] )?"
    r".*?\[client (?P<client>[0-9A-Fa-f.:]+?)(?::\d+)?\](?: AH\d+: user (?P<user>\S+?)(?: not found)?:)?"
)
REQUEST: Final = r"^(?P<method>[A-Za-z_-]+) (?P<uri>.*?)(?: HTTP/(?P<version>[\d.]+))?$"
URI: Final = r"^(?:[a-z]+://[^/?#]*)?(?P<stem>[^?]*)(?:\?(?P<query>.*))?$"
TAILS: Final = (
    r'" (?P<length>\d+) [\d.]+ \[[^\]]*\] \[[^\]]*\] (?P<upstream>[^\s,]+)[^"]* (?P<id>[0-9a-f]{32})$',
    r'" \d+ "(?P<router>[^"]*)" "(?P<upstream>[^"]*)" (?P<taken>\d+)ms$',
)
PRIVATE: Final = r"^(?:10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|::1$|f[cd]|fe80|[^0-9a-f:])"


@dataclass(frozen=True, slots=True)
class Access:
    """Reads the common log format and its extensions."""

    name: ClassVar[str] = "access"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = groups(original, USUAL).with_columns(host=pl.lit(None, pl.String))
        unusual = frame["time"].is_null().arg_true()
        if unusual.len():
            frame = scatter(frame, unusual, _unusual(original.gather(unusual).str.replace(HEADER, "")))
        tail = _tail(original, wanted)
        names = [*OWN, *(name for name, group in TAIL_OWN.items() if group in tail.columns)]
        names = names if wanted is None else sorted(wanted)
        error = pl.when(pl.col("time").is_null()).then(pl.lit("not a line of an access log"))
        frame = frame.hstack(tail)
        return frame.select(*[_own(name, frame).alias(name) for name in names], error.alias(ERROR))


def _unusual(original: pl.Series) -> pl.DataFrame:
    line = first_fit(original, (PLAIN, LINE, TLS, MANAGER, NGINX_ERROR, APACHE_ERROR))
    request = groups(line["request"], REQUEST)
    parts = pl.concat([request, groups(request["uri"], URI)], how="horizontal")
    known = [name for name in parts.columns if name in line.columns]  # MANAGER tells them apart itself
    parts = parts.with_columns(pl.coalesce(line[name], name).alias(name) for name in known)
    return line.drop(known).hstack(parts).with_columns(_client(line["client"]))


def _client(chain: pl.Series) -> pl.Series:
    """Return the first public address of each chain, or its first when it has none."""
    if not chain.str.contains(",", literal=True).any():
        return chain
    all_of = chain.str.split(",").list.eval(pl.element().str.strip_chars())
    public = all_of.list.eval(pl.element().filter(~pl.element().str.contains(PRIVATE))).list.first()
    return public.fill_null(all_of.list.first()).alias(chain.name)


def _tail(original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    """Return what stands behind the agent, the groups that any line has."""
    if wanted is not None and wanted.isdisjoint(TAIL_OWN):
        return pl.DataFrame(height=original.len())
    found = first_fit(original, TAILS)
    return found.select(name for name in found.columns if found[name].null_count() < max(found.height, 1))


def _own(name: str, frame: pl.DataFrame) -> pl.Expr:
    group = OWN.get(name) or TAIL_OWN.get(name, "")
    value = pl.col(group) if group in frame.columns else pl.lit(None, pl.String)
    return pl.when(value != "-").then(value)
