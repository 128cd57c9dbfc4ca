"""`soc web`: a local page to read findings and decide about them, without Kibana and without the internet."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.store import Store
from detectors.errors import UnavailableError, UsageError
from flows.commands.options import add_config, moment, read_config
from flows.settings import Settings
from flows.terminal import plain
from flows.triage.opening import opened

PORT = 8642
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="default: this machine only")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"default: {PORT}; 0: any that is free")
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help="a name it may be asked for under")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="for another address than this machine's own")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key")
    parser.add_argument("--by", metavar="NAME", help="who decides here (default: the user)")
    parser.add_argument("--at", type=moment, metavar="TIME", help="reckon risk and incidents as if it were this time")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped; print the address with the token."""
    if args.listen not in LOOPBACK and args.certificate is None:
        raise UsageError(
            f"at {args.listen} others could read along", fix="give --certificate and --key, or leave --listen out"
        )
    settings = read_config(args)
    with opened(settings, fresh=False) as store:
        _serve(args, settings, store)
    return 0


def _serve(args: argparse.Namespace, settings: Settings, store: Store) -> None:
    import uvicorn  # noqa: PLC0415 - only who serves pages needs it

    from flows.triage.duties import read  # noqa: PLC0415
    from flows.web import Keys, Site, Upkeep, application  # noqa: PLC0415

    keys, secure = Keys(secrets.token_urlsafe(24)), args.certificate is not None
    actor = args.by or os.environ.get("USER") or f"uid {os.getuid()}"
    hosts = [*args.host, *([args.listen] if args.listen not in LOOPBACK | {"0.0.0.0", "::"} else [])]  # noqa: S104
    upkeep = Upkeep(settings, args.at)
    law = read(settings.triage.duties)
    site = Site(store, keys, ZoneInfo(settings.zone), settings.language, actor, upkeep, law)
    server = uvicorn.Server(
        uvicorn.Config(
            application(site, hosts, secure=secure),
            log_level="warning",
            access_log=False,  # addresses of a first visit hold the token
            server_header=False,
            ssl_certfile=args.certificate,
            ssl_keyfile=args.key,
            lifespan="off",
        )
    )
    with _listening(args.listen, args.port) as listener:
        shown = args.host[0] if args.host else f"[{args.listen}]" if ":" in args.listen else args.listen
        scheme = "https" if secure else "http"
        address = f"{scheme}://{shown}:{listener.getsockname()[1]}/?token={keys.token}"
        print(plain(address), flush=True)
        print("open this address in a browser; Ctrl-C ends it", file=sys.stderr)
        upkeep.start()
        server.run(sockets=[listener])
        upkeep.stop()


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()  # from the moment on that its address is told
    except (OSError, OverflowError) as error:
        listener.close()
        raise UnavailableError(
            f"{address}:{port} can't be listened at: {error}", fix="choose another with --port, 0 for any"
        ) from error
    return listener
