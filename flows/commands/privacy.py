"""`soc privacy`: keys of tokens and the vault of what they stand for."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from connectors.privacy import audit, keys, vault
from connectors.privacy.keys import Keys
from connectors.privacy.tokens import token
from detectors.errors import UsageError
from flows import protecting
from flows.asking import passphrase, secret
from flows.commands.options import add_config, read_config
from flows.protecting import Places
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    setup = verbs.add_parser("setup", help="make keys and a vault; every custodian chooses a passphrase")
    setup.add_argument(
        "--custodian", action="append", default=[], metavar="NAME", help="any two of them open the vault; repeat"
    )
    verbs.add_parser("rotate", help="make a new key; tokens of the old ones can still be revealed")
    tokens = verbs.add_parser("tokens", help="what a value is called under each key, to look for it; recorded")
    tokens.add_argument("--person", default="", metavar="NAME", help="who asks")
    tokens.add_argument("--reason", default="", metavar="TEXT", help="why, with the number of the case")
    verbs.add_parser("check", help="look whether keys can be read and the records of what was revealed are whole")


def run(args: argparse.Namespace) -> int:
    """Do as the verb says."""
    where = protecting.places(read_config(args))
    {"setup": _setup, "rotate": _rotate, "tokens": _tokens, "check": _check}[args.verb](args, where)
    return 0


def _setup(args: argparse.Namespace, where: Places) -> None:
    if where.keys.exists() or where.lock.exists():
        raise UsageError(f"{where.folder} holds keys already", fix="soc privacy rotate makes a new one")
    names = sorted(set(args.custodian))
    public = vault.create(where.lock, {name: passphrase(name) for name in names})
    keys.write(where.keys, Keys((keys.fresh("k1", _today()),), public))
    print(plain(f"keys and vault are in {where.folder}; keep a copy of keys.json and vault.lock apart from it"))
    print("collectors need keys.json only; set `privacy: {protect: true}` where tokens are to be made")


def _rotate(_: argparse.Namespace, where: Places) -> None:
    made = keys.read(where.keys).rotated(_today())
    keys.write(where.keys, made)
    print(f"tokens are made with {made.now.id} from now on; copy keys.json to all collectors and restart them")


def _tokens(args: argparse.Namespace, where: Places) -> None:
    """Say what a value is called, so that events from before a rotation and after it are found."""
    if not args.person or len(args.reason.strip()) < 5:
        fix = "give --person, and --reason with the number of the case: five characters or more"
        raise UsageError("who looks for a value, and why?", fix=fix)
    known, value = keys.read(where.keys), secret("value")
    made = [token(value, key) for key in known.keys]
    now = _today().isoformat(timespec="seconds")
    audit.record(
        where.audit,
        {"action": "looked up", "time": now, "person": args.person, "reason": args.reason, "token": made[-1]},
    )
    for name in made:
        print(name)


def _check(_: argparse.Namespace, where: Places) -> None:
    known, state = keys.read(where.keys), audit.verify(where.audit)
    print(f"{len(known.keys)} keys, the last is {known.now.id} of {known.now.since}")
    print(f"{state.records} records of requests, whole; the last is {state.last}")


def _today() -> datetime:
    return datetime.now(UTC)
