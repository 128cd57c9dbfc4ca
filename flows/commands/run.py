"""`soc run`: the detection pipeline of soc.yml."""

from __future__ import annotations

import argparse
import sys
import time

from flows.commands.options import add_config, read_config
from flows.terminal import plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_config(parser)
    parser.add_argument("--once", action="store_true", help="stop when caught up")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds")
    parser.add_argument("--pause", type=float, default=5.0, metavar="N", help="seconds between runs (default: 5)")
    parser.add_argument("--no-prefect", action="store_true", help="run the pipeline without the Prefect flow around it")


def run(args: argparse.Namespace) -> int:
    """Run once, or again and again until stopped; files are read once."""
    settings = read_config(args)
    once = args.once or args.seconds is not None or not settings.kafka.servers
    while True:
        _once(args)
        if once:
            return 0
        time.sleep(args.pause)


def _once(args: argparse.Namespace) -> None:
    from flows import reloading, running  # noqa: PLC0415 - takes long to import

    settings = reloading.current(args.config, _say)
    running.check(settings)  # a flow would try it again, and tell of it in many lines
    if args.no_prefect:
        done = running.run(settings, _say, seconds=args.seconds)
        print(running.summary(done).partition("\n")[0].replace("**", ""), file=sys.stderr)
        return
    from flows.detect import detect  # noqa: PLC0415 - Prefect's import takes seconds

    detect(config=args.config, seconds=args.seconds)


def _say(text: str) -> None:
    print(plain(text), file=sys.stderr, flush=True)
