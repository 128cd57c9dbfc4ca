"""`soc setup`: what the servers need before the first finding."""

from __future__ import annotations

import argparse

from connectors.definitions import BUILT_IN, load_definitions
from connectors.elastic.client import connect
from connectors.elastic.setup import setup as install
from connectors.kafka import topics
from dashboards.templates import bodies, read
from detectors.errors import UsageError
from flows import running
from flows.commands.options import add_config, read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--partitions", type=int, default=6, metavar="N", help="partitions of a new topic (default: 6)")
    parser.add_argument("--replication", type=int, default=1, metavar="N", help="copies of a new topic (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Install what is missing, and say of each thing whether it was created, updated or unchanged."""
    settings = read_config(args)
    if not settings.elastic.url and not settings.kafka.servers:
        raise UsageError("there is no server to set up", fix="set `elastic.url` or `kafka.servers` in soc.yml")
    if settings.elastic.url:
        client = connect(running.cluster(settings))
        try:
            for name, outcome in install(client, bodies(read())).items():
                print(f"{outcome:<10} index template {name}")
        finally:
            client.close()
    if settings.kafka.servers:
        known = load_definitions([BUILT_IN, *settings.sources])
        sources = sorted({*(settings.kafka.sources or known), *settings.collect.sources})
        made = topics.setup(running.kafka(settings), sources, partitions=args.partitions, replication=args.replication)
        for name, outcome in made.items():
            print(f"{outcome:<10} topic {name}")
    return 0
