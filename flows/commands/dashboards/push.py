"""`soc dashboards push`: dashboards, promotion rule and value lists into Kibana."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.kibana import lists, objects, promotion
from connectors.kibana.client import Kibana
from dashboards import savedobjects
from detectors.errors import Place, UsageError
from flows import lists as valuelists
from flows.commands.dashboards.opening import Fate, Key, Record, add_space, built, fates, opened, record
from flows.commands.options import read_config
from flows.settings import Settings
from flows.terminal import plain

PEOPLE = ("changed there", "changed on both sides")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_space(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="also what people changed in Kibana since the last push"
    )
    parser.add_argument("--no-rule", action="store_true", help="leave the promotion rule alone")
    parser.add_argument(
        "--from", dest="file", type=Path, metavar="FILE", help="push this file (a backup, a pull) instead"
    )


def run(args: argparse.Namespace) -> int:
    """Bring everything in, the dashboards first; what stood there before is kept in a file."""
    settings = read_config(args)
    with opened(args, settings) as kibana:
        if args.file:
            _told(f"{objects.put(kibana, _content(args.file))} objects of {args.file} are in")
            return 0
        _objects(args, built(args, settings), kibana, record(args, settings))
        if not args.no_rule:
            promotion.enable(kibana)
            promotion.put(kibana, savedobjects.ndjson([savedobjects.promotion()]))
            _told("the promotion rule is in: findings become alerts of the Security app")
        _lists(kibana, settings)
    return 0


def _objects(args: argparse.Namespace, ours: list[dict[str, Any]], kibana: Kibana, known: Record) -> None:
    names = [(each["type"], each["id"]) for each in ours]
    before = objects.get(kibana, names)
    found = fates(ours, before, known)
    if not args.overwrite:
        _spare(found)
    if before:
        _told(f"what stood there is in {known.write('before', before)}; back with `--from` that file")
    count = objects.put(kibana, savedobjects.ndjson(ours))
    known.write("sent", ours)
    known.write("kept", objects.get(kibana, names))
    changed = sum(fate != "same" for fate in found.values())
    _told(f"{count} saved objects are in, {changed} of them new or changed")


def _spare(found: Mapping[Key, Fate]) -> None:
    """Leave alone what people changed, unless we are told not to."""
    changed = [f"{kind} {name}" for (kind, name), fate in found.items() if fate in PEOPLE]
    if changed:
        raise UsageError(
            f"people changed in Kibana what would be overwritten: {', '.join(changed)}",
            fix="fetch it first (soc dashboards pull), then push with --overwrite",
        )


def _lists(kibana: Kibana, settings: Settings) -> None:
    """Bring value lists in: plain values as keywords, networks as ranges of addresses; patterns have no place there."""
    for name, each in valuelists.read(
        [settings.lists] if isinstance(settings.lists, Path) else settings.lists
    ).lists.items():
        plain_texts = [text for text in each.texts if not {"*", "?", "\\"} & set(text)]
        for kind, suffix, entries in (("keyword", "", plain_texts), ("ip_range", "-networks", each.networks)):
            if entries:
                kept = lists.put(kibana, f"soc-{name}{suffix}", entries, kind=kind)
                _told(f"value list soc-{name}{suffix}: {kept.added} entries came, {kept.removed} went")
        if left := len(each.texts) - len(plain_texts) + len(each.patterns):
            _told(f"value list soc-{name}: {left} patterns stay here, as Kibana's lists know none")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", place=Place(str(path))) from error


def _told(text: str) -> None:
    print(plain(text), file=sys.stderr)
