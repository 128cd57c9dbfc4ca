"""`soc sources new`: a definition proposed from lines of a log."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from connectors.definitions import load_definition
from detectors.errors import UsageError
from flows import assembly
from flows.commands.options import add_config, read_config
from flows.sourcing.proposal import propose
from flows.terminal import plain, visible

MOST = 4 << 20  # bytes of the log that are looked at


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("logs", metavar="FILE", help="lines of the log; `-`: standard input")
    parser.add_argument("--name", metavar="NAME", help="of the source (default: the file's)")
    parser.add_argument("--into", type=Path, metavar="DIR", help="write DIR/NAME.yml instead of printing it")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Print or write the proposal."""
    settings = read_config(args)
    name = args.name or re.sub(r"[^a-z0-9_]+", "_", Path(args.logs).stem.lower()).strip("_0123456789")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"{name!r} is no name of a source", fix="give --name: lower-case letters, digits and _")
    made = propose(_lines(args.logs), name, assembly.definitions(settings), settings.zone)
    text = visible(made.text(), "\n")
    if args.into is None:
        print(text, end="")
        return 0
    path = args.into / f"{name}.yml"
    if path.exists():
        raise UsageError(f"{path} is there already", fix="choose another --name, or move it away")
    args.into.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    load_definition(path)
    print(plain(str(path)))
    print(f"now look at every line of it, and run: soc sources check {plain(str(path))}", file=sys.stderr)
    return 0


def _lines(name: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read(MOST) if name == "-" else _head(Path(name))
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}") from None
    return data.decode("utf-8", "backslashreplace").splitlines()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST)
