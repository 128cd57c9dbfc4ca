"""`soc setup`: what the servers need before the first finding."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from elasticsearch import Elasticsearch

from connectors.definitions import BUILT_IN, load_definitions
from connectors.elastic.client import connect
from connectors.elastic.overruled import overruled
from connectors.elastic.setup import LOWER
from connectors.elastic.users import grant
from connectors.kafka import topics
from dashboards import templates
from detectors.errors import UsageError
from flows import installing, running
from flows.commands.options import add_config, read_config
from flows.settings import Settings
from flows.terminal import plain

PARTIAL = 3
RECORD = Path(".soc/setup.json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="only show what would change in Elasticsearch")
    parser.add_argument("--rollback", action="store_true", help="bring back what was there before the last setup")
    parser.add_argument(
        "--organisation",
        action="append",
        default=[],
        metavar="ID",
        help="make a role that reads only this organisation's findings, if the licence allows; may be repeated",
    )
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME:ROLE",
        help="give a user a role (soc_writer, soc_analyst, soc_verdicts, soc_reader_<organisation>); may be repeated",
    )
    parser.add_argument("--no-extras", action="store_true", help="leave out lifecycle and transform")
    parser.add_argument(
        "--record", type=Path, default=RECORD, metavar="FILE", help=f"for --rollback (default: {RECORD})"
    )
    parser.add_argument("--partitions", type=int, default=6, metavar="N", help="partitions of a new topic (default: 6)")
    parser.add_argument("--replication", type=int, default=1, metavar="N", help="copies of a new topic (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Install what is missing, and say of each thing whether it was created, updated or unchanged."""
    settings = read_config(args)
    if not settings.elastic.url and not settings.kafka.servers:
        raise UsageError("there is no server to set up", fix="set `elastic.url` or `kafka.servers` in soc.yml")
    if wrong := [each for each in args.user if not all(each.partition(":"))]:
        raise UsageError(f"{wrong[0]!r} is no user and role", fix="write NAME:ROLE, for instance minh:soc_analyst")
    whole = True
    if settings.elastic.url:
        client = connect(running.cluster(settings))
        try:
            whole = _elastic(client, settings, args)
        finally:
            client.close()
    if settings.kafka.servers and not args.dry_run and not args.rollback:
        _kafka(settings, args)
    return 0 if whole else PARTIAL


def _elastic(client: Elasticsearch, settings: Settings, args: argparse.Namespace) -> bool:
    """Set up Elasticsearch; say whether all that it can do is there."""
    if args.rollback:
        for line in installing.take_back(client, args.record):
            print(plain(line))
        return True
    plan = installing.plan(
        client, organisations=args.organisation, keep=settings.elastic.keep_days, extras=not args.no_extras
    )
    if args.dry_run:
        for line in (line for found in plan for line in installing.told(found)):
            print(plain(line) if not line.startswith(" ") else f"    {plain(line.strip())}")
        return _alone(client)
    done = installing.install(client, plan, args.record)
    for found in done.things:
        print(plain(next(installing.told(replace(found, before=None)))))
    for index, why in done.kept.items():
        print(plain(f"kept         index {index} as it is: {why}"))
    if waits := installing.start(client, done):
        print(plain(f"soc: the transform waits: {waits}"), file=sys.stderr)
    for each in args.user:
        made = grant(client, *each.split(":", 1))
        print(plain(f"{made.outcome:<12} user {made.name}{f', password {made.password}' if made.password else ''}"))
    return _alone(client) and all(found.outcome != "refused" for found in done.things)


def _alone(client: Elasticsearch) -> bool:
    """Say whether no template of somebody else takes our indices, and name those that do."""
    found = overruled(client, templates.bodies(templates.read()))
    for name, others in found.items():
        print(plain(f"overruled    index template {name} by {others}: {LOWER}"))
    return not found


def _kafka(settings: Settings, args: argparse.Namespace) -> None:
    known = load_definitions([BUILT_IN, *settings.sources])
    sources = sorted({*(settings.kafka.sources or known), *settings.collect.sources})
    made = topics.setup(running.kafka(settings), sources, partitions=args.partitions, replication=args.replication)
    for name, outcome in made.items():
        print(f"{outcome:<12} topic {name}")
