"""`soc reveal`: what a token stands for, to two people who both say so; recorded before anything is shown."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from connectors.privacy import audit, vault
from connectors.privacy.tokens import TOKEN
from detectors.errors import UsageError
from flows import protecting
from flows.asking import passphrase
from flows.commands.options import add_config, read_config
from flows.protecting import Places
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("token", nargs="?", metavar="TOKEN", help="such as pd_k1_…")
    parser.add_argument("--person", default="", metavar="NAME", help="the custodian who asks")
    parser.add_argument("--second", default="", metavar="NAME", help="the custodian who confirms: somebody else")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, with the number of the case")
    parser.add_argument("--verify", action="store_true", help="instead: look whether all records of requests are whole")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Record, then show."""
    where = protecting.places(read_config(args))
    if args.verify:
        state = audit.verify(where.audit)
        print(f"{state.records} records, whole; the last is {state.last}: note both elsewhere")
        return 0
    _legal(args)
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "token": args.token,
        "person": args.person,
        "second": args.second,
        "reason": args.reason,
    }
    print(plain(_revealed(where, entry)))
    return 0


def _legal(args: argparse.Namespace) -> None:
    if not args.token or not TOKEN.fullmatch(args.token):
        raise UsageError(f"{args.token!r} is no token", fix="give one as it stands in events: pd_k1_…")
    if len(args.reason.strip()) < 5:
        raise UsageError(
            "why must it be known?", fix="give --reason with the number of the case: five characters or more"
        )
    if not args.person or not args.second or args.person == args.second:
        raise UsageError("two different people must confirm", fix="give --person and --second")


def _revealed(where: Places, entry: dict[str, str]) -> str:
    """Open the vault and return the value; the attempt is recorded first, and what became of it before it is told."""
    audit.record(where.audit, {"action": "asked", **entry})
    said = {entry["person"]: passphrase(entry["person"]), entry["second"]: passphrase(entry["second"])}
    try:
        key = vault.open_lock(where.lock, said)
    except UsageError:
        audit.record(where.audit, {"action": "refused", **entry})
        raise
    value = vault.find(where.vault, key, entry["token"])
    audit.record(where.audit, {"action": "revealed" if value is not None else "not found", **entry}, key)
    if value is None:
        raise UsageError(
            "the vault doesn't know this token", fix="look for it in the vault of the collector that made it"
        )
    return value
