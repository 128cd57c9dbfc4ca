"""`soc dashboards pull`: dashboards out of Kibana, into a file that `push --from` brings back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.kibana import objects
from dashboards import savedobjects
from flows.commands.dashboards.opening import add_space, built, opened
from flows.commands.options import read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_space(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("kibana.ndjson"), metavar="FILE", help="default: kibana.ndjson"
    )


def run(args: argparse.Namespace) -> int:
    """Write what Kibana has with the tag SOC, and say what of it isn't ours."""
    settings = read_config(args)
    ours = {(each["type"], each["id"]) for each in built(args, settings)}
    (tag,) = (name for kind, name in ours if kind == "tag" and name.startswith("soc-tag-soc"))
    with opened(args, settings) as kibana:
        found = objects.tagged(kibana, tag)
    args.out.write_bytes(savedobjects.ndjson(found))
    print(f"{args.out}: {len(found)} saved objects", file=sys.stderr)
    for each in found:
        if (each["type"], each["id"]) not in ours:
            print(plain(f"of people: {each['type']} {each['id']}  {each['attributes'].get('title', '')}"))
    return 0
