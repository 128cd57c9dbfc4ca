"""What a collector needs before it starts: something to collect, known sources, tokens that are secrets, open files."""

from __future__ import annotations

import glob
import resource
from collections.abc import Sequence
from typing import Final

from connectors.definitions import BUILT_IN, load_definitions
from detectors.errors import Place, UsageError
from detectors.nearest import nearest
from flows.collecting.settings import Collect, Http
from flows.settings import Settings

HANDLES: Final = 1_000  # open files beside those of senders and those that are followed


def check(settings: Settings, more: Sequence[str] = ()) -> None:
    """Raise UsageError if there is nothing to collect, nowhere to send it, or a source that isn't known."""
    part = settings.collect
    if not settings.kafka.servers:
        raise UsageError("collected lines go to Kafka, and no broker is named", fix="set `kafka.servers` in soc.yml")
    if not (part.sources or more):
        fix = "set `collect:` in soc.yml (see soc.example.yml), or use --stdin SOURCE"
        raise UsageError("there is nothing to collect", fix=fix)
    known = load_definitions([BUILT_IN, *settings.sources])
    for source in sorted({*part.sources, *more}):
        if source not in known:
            raise UsageError(f"collect: no source is called {source!r}", fix=nearest(source, known))


def tokens(http: Http) -> dict[str, str]:
    """Return the tokens of the HTTP input by the names of their holders.

    Raises:
        UsageError: there is none, or one is too short to be a secret.
    """
    found = {"token": http.token.get_secret_value()} if http.token.get_secret_value() else {}
    if http.token_file is not None:
        try:
            rows = [line.split() for line in http.token_file.read_text("utf-8").splitlines()]
        except OSError as error:
            place = Place(str(http.token_file))
            raise UsageError(f"the file of tokens can't be read: {error.strerror}", place=place) from error
        found |= {row[0]: row[-1] for row in rows if row and not row[0].startswith("#")}
    fix = "write `name token` lines into collect.http.token_file: openssl rand -hex 32"
    if not found:
        raise UsageError("the HTTP input has no token", fix=fix)
    for name, token in found.items():
        if len(token) < 16:
            raise UsageError(f"the token of {name!r} is shorter than 16 characters", fix=fix)
    return found


def raise_handle_limit(part: Collect) -> tuple[int, int]:
    """Allow as many open files as the settings may need and the system lets us; return what there is and is needed."""
    wanted = HANDLES + sum(each.connections for each in part.syslog if each.transport != "udp")
    wanted += sum(len(glob.glob(each.path, recursive=True)) for each in part.files)  # noqa: PTH207  # absolute patterns
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed), wanted
