"""`soc dashboards diff`: what differs between the definitions and Kibana."""

from __future__ import annotations

import argparse

from connectors.kibana import objects
from flows.commands.dashboards.opening import add_space, built, fates, opened, record
from flows.commands.options import read_config
from flows.terminal import plain

WORDS = {"unknown": "differs; nothing was pushed from here, so nobody can tell who changed it"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_space(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line per object that differs."""
    settings = read_config(args)
    ours = built(args, settings)
    with opened(args, settings) as kibana:
        theirs = objects.get(kibana, ((each["type"], each["id"]) for each in ours))
    found = fates(ours, theirs, record(args, settings))
    titles = {
        (each["type"], each["id"]): each["attributes"].get("title", each["attributes"].get("name")) for each in ours
    }
    for key, fate in found.items():
        if fate != "same":
            print(plain(f"{WORDS.get(fate, fate)}: {' '.join(key)}  {titles[key]}"))
    print(f"{sum(fate == 'same' for fate in found.values())} of {len(found)} objects are the same")
    return 0
