"""`soc dashboards build`: the saved objects and the promotion rule as files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dashboards import savedobjects
from flows.commands.dashboards.opening import add_space, built
from flows.commands.options import read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_space(parser)
    parser.add_argument("--out", type=Path, default=Path("soc.ndjson"), metavar="FILE", help="default: soc.ndjson")
    parser.add_argument(
        "--api", type=Path, metavar="DIR", help="also write bodies for PUT /api/dashboards/ID (Kibana 9.5+)"
    )
    parser.add_argument("--rule", type=Path, metavar="FILE", help="also write the promotion rule")


def run(args: argparse.Namespace) -> int:
    """Write the files: the same bytes from the same definitions."""
    settings = read_config(args)
    objects = built(args, settings)
    args.out.write_bytes(savedobjects.ndjson(objects))
    print(f"{args.out}: {len(objects)} saved objects", file=sys.stderr)
    if args.rule:
        args.rule.write_bytes(savedobjects.ndjson([savedobjects.promotion()]))
        print(f"{args.rule}: the promotion rule (Security, Rules, Import)", file=sys.stderr)
    if args.api:
        args.api.mkdir(parents=True, exist_ok=True)
        for name, body in savedobjects.bodies(
            space=args.space or settings.kibana.space, lang=args.lang or settings.language
        ).items():
            (args.api / f"soc-{name}.json").write_text(
                json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False), "utf-8"
            )
    return 0
