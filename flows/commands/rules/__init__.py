"""`soc rules VERB`: what rule authors do, a module of this package per verb.

These modules are small; what takes long to import (pySigma) is imported where rules must be read anew.
"""

from __future__ import annotations

import argparse

from flows.commands.options import add_verbs

VERBS = {
    "check": "read every rule and tell all faults of all files, as file:line:column",
    "test": "run the tests inside the rules, and leave things out of the rules to see whether a test notices",
    "explain": "why a rule matches an event, or why not: every part of the rule, and what it saw",
    "try": "run a rule over the archive: matches by day, organisation and source, its cost, examples",
    "import": "which rules of a folder or a git checkout can live on which source, and copy some of them",
    "coverage": "the techniques of ATT&CK that rules look for: a Navigator layer and an HTML matrix",
    "new": "write a rule file from a template, or from example events",
    "promote": "raise a rule's status, if the evidence is there",
    "schema": "print the JSON schema of rule files, for editors",
    "list": "one line per rule: level, id, log source, title",
    "blind": "per source, the rules that can never match there for want of a field",
}

MODULES = {"import": "importing", "test": "testing", "try": "trial"}  # verbs that are words of Python


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    add_verbs(parser, __name__, VERBS, MODULES)


def run(args: argparse.Namespace) -> int:
    """Do as the verb says."""
    return int(args.do(args))
