"""What `soc doctor` looks at of `collect`: sources, spool, ports, certificates, tokens, paths, limits of the system."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.collect import tls
from detectors.errors import SocError, UsageError
from flows.collecting import needs
from flows.collecting.collector import OCCUPIED, PRIVILEGE
from flows.collecting.settings import Collect, Http, Syslog
from flows.settings import Settings

Check = tuple[str, SocError | None]
BURST = 1 << 20  # bytes the kernel should be able to hold of datagrams


def checks(settings: Settings) -> Iterator[Check]:
    """Yield what was looked at and the fault found there, if any; nothing when nothing is collected."""
    part = settings.collect
    if not part.sources:
        return
    yield _tried("collect: sources", lambda: needs.check(settings))
    yield _spool(part)
    for each in part.syslog:
        yield from _listener(f"collect: syslog {each.transport} {each.listen}", each, udp=each.transport == "udp")
    if part.http is not None:
        yield from _http(part.http)
    if any(each.transport == "udp" for each in part.syslog):
        yield _buffer()
    yield _handles(part)
    yield from _paths(part)


def _tried(what: str, work: Callable[[], object]) -> Check:
    try:
        work()
    except SocError as fault:
        return what, fault
    return what, None


def _spool(part: Collect) -> Check:
    folder = next(path for path in (part.spool.absolute(), *part.spool.absolute().parents) if path.exists())
    what = f"collect: spool {part.spool}, up to {part.spool_bytes / 1e9:,.1f} GB"
    if not os.access(folder, os.W_OK | os.X_OK):
        return what, UsageError(f"{folder} can't be written", fix="give this user the folder, or set `collect.spool`")
    there = sum(path.stat().st_size for path in part.spool.glob("*.spool"))
    free = shutil.disk_usage(folder).free + there
    fix = "make room, or set `collect.spool_bytes` lower: a full disk takes nothing"
    fault = UsageError(f"only {free / 1e9:,.1f} GB are free there", fix=fix) if free < part.spool_bytes else None
    return what, fault


def _listener(what: str, listener: Syslog | Http, *, udp: bool = False) -> Iterator[Check]:
    yield what, _taken(listener, udp=udp)
    certificate, key = listener.certificate, listener.key
    if certificate is not None and key is not None:
        yield _tried(f"{what}: certificate", lambda: tls.context(certificate, key, listener.clients))
        open_to_all = key.is_file() and key.stat().st_mode & stat.S_IROTH
        fault = UsageError("everybody on this machine may read the key", fix=f"chmod 600 {key}")
        yield f"{what}: key", fault if open_to_all else None


def _taken(listener: Syslog | Http, *, udp: bool) -> SocError | None:
    """Return why the port can't be had; a collector that runs has it, and that is well."""
    host, port = listener.address
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0 if udp else 1)
            probe.bind(place)
    except PermissionError:
        return UsageError("this user may not listen there", fix=PRIVILEGE)
    except OSError as error:
        return UsageError(f"can't be listened to: {error.strerror}", fix=OCCUPIED)
    return None


def _http(http: Http) -> Iterator[Check]:
    what = f"collect: http {http.listen}"
    yield from _listener(what, http)
    yield _tried(f"{what}: tokens", lambda: needs.tokens(http))
    if http.token_file is not None and http.token_file.is_file():
        fault = UsageError("others may read the tokens", fix=f"chmod 600 {http.token_file}")
        yield f"{what}: {http.token_file}", fault if http.token_file.stat().st_mode & 0o077 else None
    if http.certificate is None and not http.address[0].startswith(("127.", "::1", "localhost")):
        fix = "set `certificate` and `key`, or listen on 127.0.0.1 behind a proxy with TLS"
        yield f"{what}: TLS", UsageError("tokens and logs travel where others may read them", fix=fix)


def _buffer() -> Check:
    file = Path("/proc/sys/net/core/rmem_max")
    size = int(file.read_text("ascii")) if file.is_file() else BURST
    allowed = os.geteuid() == 0  # may go beyond
    fix = "sysctl -w net.core.rmem_max=33554432 (and into /etc/sysctl.d)"
    fault = UsageError("bursts of datagrams beyond that are lost", fix=fix)
    return f"collect: net.core.rmem_max {size:,} bytes", fault if size < BURST and not allowed else None


def _handles(part: Collect) -> Check:
    there, wanted = needs.raise_handle_limit(part)
    fix = "LimitNOFILE= of the service, `ulimit -n`, or fewer `connections`"
    fault = UsageError(f"{wanted:,} may be needed", fix=fix)
    return f"collect: {there:,} open files allowed", fault if there < wanted else None


def _paths(part: Collect) -> Iterator[Check]:
    for each in part.files:
        found = glob.glob(each.path, recursive=True)  # noqa: PTH207  # patterns are absolute
        closed = [path for path in found if not os.access(path, os.R_OK)]
        fault = None
        if not found:
            fault = UsageError("no file is called so (yet)", fix="look at the path, or ignore this")
        elif closed:
            fault = UsageError(f"{closed[0]} can't be read", fix="add this user to the group that may (often adm)")
        yield f"collect: files {each.path}, {len(found)} there", fault
    for folder in part.folders:
        readable = folder.path.is_dir() and os.access(folder.path, os.R_OK | os.X_OK)
        missing = UsageError("is no folder that this user may read", fix="make it, or mend `collect.folders`")
        yield f"collect: folder {folder.path}", None if readable else missing
