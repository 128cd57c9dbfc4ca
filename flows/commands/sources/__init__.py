"""`soc sources VERB`: what is done with source definitions, a module of this package per verb."""

from __future__ import annotations

import argparse

from flows.commands.options import add_verbs

VERBS = {
    "list": "one line per source: format, log source, sector, criticality, live and blind rules",
    "check": "faults of a definition, the rules that come to life with it and the fields that are missing; the letter",
    "new": "propose a definition from lines of a log",
    "test": "run the samples of definitions",
    "health": "when each source last wrote, and whether that is as much as its definition expects",
    "clean": "delete from the archive what is older than the retention of its source",
}
MODULES = {"list": "listing", "test": "testing", "health": "state"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    add_verbs(parser, __name__, VERBS, MODULES)


def run(args: argparse.Namespace) -> int:
    """Do as the verb says."""
    return int(args.do(args))
