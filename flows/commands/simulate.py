"""`soc simulate`: logs of a province, with labelled attacks."""

from __future__ import annotations

import argparse
import math
import sys
from datetime import date
from pathlib import Path

from connectors.simulator import province
from connectors.simulator.write import write
from detectors.errors import UsageError
from flows.commands.options import add_config, read_config
from flows.playing import playing
from flows.progress import progress

START = date(2026, 3, 9)  # a Monday without holidays near


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="equal seeds give equal bytes (default: 1)")
    parser.add_argument("--days", type=int, default=3, metavar="N", help="days to simulate (default: 3)")
    parser.add_argument("--start", default=START.isoformat(), metavar="DATE", help=f"first day (default: {START})")
    parser.add_argument(
        "--province", type=Path, metavar="FILE", help="the province (default: the one that comes along)"
    )
    parser.add_argument(
        "--kafka", action="store_true", help="send every line to the Kafka of the settings too, into empty topics"
    )
    add_config(parser)
    add_played(parser)


def add_played(parser: argparse.ArgumentParser) -> None:
    """Name what a simulation is made of, for `soc demo` as well."""
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME",
        help="of all attacks this one only; may be repeated, or hold several names with commas",
    )
    parser.add_argument(
        "--speed",
        type=float,
        metavar="N",
        help="N simulated seconds to a real one: 1 is live, 3600 an hour a second (default: as fast as can be)",
    )


def scenarios(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of the attacks that are wanted."""
    return tuple(name.strip() for each in args.scenario for name in each.split(",") if name.strip())


def speed(args: argparse.Namespace) -> float | None:
    """Return the speed that is wanted."""
    if args.speed is not None and not 0 < args.speed < math.inf:
        raise UsageError(f"--speed {args.speed} is no speed", fix="write a number above 0, such as 3600")
    wanted: float | None = args.speed
    return wanted


def run(args: argparse.Namespace) -> int:
    """Write the logs and the truth about the attacks."""
    try:
        start = date.fromisoformat(args.start)
    except ValueError:
        raise UsageError(f"--start {args.start!r} is not a date", fix="write YYYY-MM-DD") from None
    spec = province.load(args.province) if args.province else None
    servers = read_config(args) if args.kafka else None
    if servers is not None:
        from flows import demoservers  # noqa: PLC0415 - the clients of servers that few simulations need

        demoservers.empty(servers)
    with playing(speed(args), servers) as send, progress("simulating", sized=False) as told:
        done = write(
            args.out,
            args.seed,
            start,
            args.days,
            lambda share: told("simulating", int(100 * share), 100),
            spec=spec,
            scenarios=scenarios(args),
            send=send,
        )
    for source, lines in done.lines.items():
        print(f"{source:<14} {lines:>9,} lines", file=sys.stderr)
    print(f"{len(done.attacks)} attacks, told in {done.truth}", file=sys.stderr)
    return 0
