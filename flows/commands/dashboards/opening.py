"""What the verbs share: the objects of the settings, a connection to Kibana, and what was pushed from here before."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from connectors.kibana import objects
from connectors.kibana.client import Access, Kibana
from dashboards import savedobjects
from detectors.errors import UsageError
from flows.commands.options import add_config
from flows.settings import Settings, password
from flows.terminal import plain

Json = dict[str, Any]
Key = tuple[str, str]  # of an object: its type and id
Fate = Literal["same", "missing", "changed here", "changed there", "changed on both sides", "unknown"]


def add_space(parser: argparse.ArgumentParser) -> None:
    """Add --config, --space, --lang."""
    add_config(parser)
    parser.add_argument("--space", metavar="NAME", help="Kibana space (default: `kibana.space` of the settings)")
    parser.add_argument("--lang", choices=("en", "vi"), help="language of titles (default: `language` of the settings)")


def built(args: argparse.Namespace, settings: Settings) -> list[Json]:
    """Compile the definitions for the space and the language that were asked for."""
    return savedobjects.build(space=args.space or settings.kibana.space, lang=args.lang or settings.language)


@contextmanager
def opened(args: argparse.Namespace, settings: Settings) -> Iterator[Kibana]:
    """Connect to the Kibana of the settings."""
    part = settings.kibana
    if not part.url:
        raise UsageError("no Kibana is named", fix="set `kibana.url` in soc.yml or SOC_KIBANA__URL")
    access = Access(
        part.url,
        args.space or part.space,
        part.username,
        password(part),
        part.api_key.get_secret_value(),
        part.ca,
        patience=part.patience,
    )
    kibana = Kibana(access, lambda text: print(plain(text), file=sys.stderr))
    try:
        yield kibana
    finally:
        kibana.close()


@dataclass(frozen=True, slots=True)
class Record:
    """What was pushed into a space from here, and how Kibana kept it: it moves objects up to its own version."""

    folder: Path
    space: str

    def sent(self) -> list[Json]:
        """Return what was pushed last."""
        return self._read("sent")

    def kept(self) -> list[Json]:
        """Return how Kibana kept it."""
        return self._read("kept")

    def write(self, name: Literal["sent", "kept", "before"], found: list[Json]) -> Path:
        """Keep objects, over those of the last push."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(savedobjects.ndjson(found))
        return path

    def _path(self, name: str) -> Path:
        return self.folder / f"{self.space}.{name}.ndjson"

    def _read(self, name: str) -> list[Json]:
        path = self._path(name)
        if not path.is_file():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def record(args: argparse.Namespace, settings: Settings) -> Record:
    """Return the record of the space that was asked for."""
    return Record(settings.kibana.kept, args.space or settings.kibana.space)


def fates(ours: list[Json], theirs: list[Json], known: Record) -> Mapping[Key, Fate]:
    """Say of each object of ours whether it is in Kibana, and who changed it since the last push from here."""
    new, there = objects.told_apart(ours), objects.told_apart(theirs)
    sent, kept = objects.told_apart(known.sent()), objects.told_apart(known.kept())
    return {key: _fate(new[key], there.get(key), sent.get(key), kept.get(key)) for key in new}


def _fate(new: Json, there: Json | None, sent: Json | None, kept: Json | None) -> Fate:
    if there is None:
        return "missing"
    if there == new:
        return "same"
    if sent is None or kept is None:
        return "unknown"
    here, elsewhere = new != sent, there != kept
    if here and elsewhere:
        return "changed on both sides"
    return "changed here" if here else "changed there" if elsewhere else "same"
