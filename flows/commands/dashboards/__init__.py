"""`soc dashboards VERB`: Kibana's dashboards from the definitions in dashboards/, a module of this package per verb."""

from __future__ import annotations

import argparse

from flows.commands.options import add_verbs

VERBS = {
    "build": "write the saved objects as Kibana imports them (Stack Management, Saved Objects), and the promotion rule",
    "show": "what each panel of a dashboard shows, asked of Elasticsearch: without Kibana",
    "push": "bring dashboards, promotion rule and value lists into Kibana",
    "pull": "fetch dashboards with the tag SOC from Kibana: ours and those that people made",
    "diff": "which objects differ, and whether here or in Kibana",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the verbs and their arguments."""
    add_verbs(parser, __name__, VERBS, {})


def run(args: argparse.Namespace) -> int:
    """Do as the verb says."""
    return int(args.do(args))
