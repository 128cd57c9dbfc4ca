"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.errors import UsageError
from flows import settings
from flows.settings import Settings

_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}


class Verb(argparse.ArgumentParser):
    """The parser of a verb, whose module names its arguments when the verb is used."""

    module = ""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Import the module, then parse."""
        if self.module:
            module, self.module = import_module(self.module), ""
            module.configure(self)
            self.set_defaults(do=module.run)
        return super().parse_known_args(args, namespace)


def add_verbs(
    parser: argparse.ArgumentParser, package: str, texts: Mapping[str, str], modules: Mapping[str, str]
) -> None:
    """Add the verbs of a package: each with its text, done by the module of its name unless `modules` names another."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Verb)
    for verb, text in texts.items():
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        command.module = f"{package}.{modules.get(verb, verb)}"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (default: ./soc.yml if there is one)")


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add --rules."""
    parser.add_argument(
        "--rules",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder or file of Sigma rules, may be repeated (default: the program's own and those of the settings)",
    )


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Add the rules that a verb looks at: paths, --rules and --config."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="rule files or folders")
    add_rules(parser)
    add_config(parser)


def read_config(args: argparse.Namespace) -> Settings:
    """Read the settings that --config names."""
    return settings.load(args.config)


def archived(asked: Sequence[str] | None, known: Sequence[str]) -> Sequence[str]:
    """Return the sources that are asked for, or all that the archive holds."""
    if strangers := sorted(set(asked or ()) - set(known)):
        from detectors.nearest import meant  # noqa: PLC0415 - a good command line needs none of the rules' room

        near = " ".join(filter(None, (meant(each, known) for each in strangers)))
        fix = near or f"it holds: {', '.join(known)}"
        raise UsageError(f"the archive holds nothing of {', '.join(strangers)}", fix=fix)
    return asked or known


def moment(text: str) -> datetime:
    """Read a time of the command line: ISO 8601 (one without a zone is UTC), or `30d` for so long ago."""
    if ago := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return datetime.now(UTC) - timedelta(minutes=int(ago[1]) * _MINUTES[ago[2]])
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time", fix="write 2026-03-01, 2026-03-01T08:30+07:00, or 30d for 30 days ago"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def zone(text: str) -> str:
    """Read a time zone of the command line: a name of the time zone database, or an offset."""
    from connectors.times import OFFSET  # noqa: PLC0415 - as above

    try:
        return text if OFFSET.fullmatch(text) else ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{text!r} is no time zone", fix="write Asia/Ho_Chi_Minh or +07:00") from None
