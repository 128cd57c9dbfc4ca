r"""Error log of nginx.

    2026/01/24 16:33:06 [error] 334#334: *338 user "lan": password mismatch, client: 192.0.2.7, server: app.example.com,
    request: "GET / HTTP/1.1", upstream: "http://192.0.2.80/", host: "app.example.com", referrer: "http://example.com/"

Own columns: the groups of the pattern, and what nginx appends to a message as `client`, `request`, `host`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from connectors.formats.fitting import Fitted, Parts

LINE: Final = (
    r"(?s)^(?:(?:\S+ ){1,4}nginx(?:\[\d+\])?: )?"  # Mar  2 08:15:00 web01 nginx[42]:
    r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>[a-z]+)\] (?P<pid>\d+)#(?P<tid>\d+): "
    r"(?:\*(?P<connection>\d+) )?(?P<message>.*)$"
)
PARTS: Final[Parts] = {
    "client": r", client: ([^,\s]+)",
    "server": r", server: ([^,\s]*)",
    "request": r', request: "((?:[^"\\]|\\.)*)"',
    "method": r', request: "([A-Z]+) ',
    "uri": r', request: "[A-Z]+ ((?:[^"\\]|\\.)*?)(?: HTTP/[\d.]+)?"',
    "version": r' HTTP/([\d.]+)"',
    "upstream": r', upstream: "([^"]*)"',
    "host": r', host: "([^":]*)(?::\d+)?"',
    "referer": r', referrer: "([^"]*)"',
    "user": r'^user "((?:[^"\\]|\\.)*)"',
    "zone": r'limiting (?:requests|connections).*? by zone "([^"]+)"',
    "rule_id": r'^ModSecurity: .*?\[id "([^"]*)"\]',
    "rule_message": r'^ModSecurity: .*?\[msg "((?:[^"\\]|\\.)*)"\]',
    "file": r'^(?:open|stat|access|lstat)\(\) "([^"]+)"',
}


@dataclass(frozen=True, slots=True)
class NginxError(Fitted):
    """Reads error.log of nginx."""

    name: ClassVar[str] = "nginx_error"
    patterns: ClassVar[Sequence[str]] = (LINE,)
    within: ClassVar[Parts] = PARTS
    key: ClassVar[str] = "time"
    reason: ClassVar[str] = "not a line of an nginx error log"
