"""The events that an author means: of a file, of standard input, or one that the store or the archive holds."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl

from connectors.archive import Archive
from connectors.files import FileSource
from connectors.parser import DefinedParser
from connectors.recognise import recogniser
from connectors.store import Store
from detectors.contracts import Batch, Dialect, LogSource
from detectors.errors import UsageError
from detectors.identity import event_id
from detectors.schema import RECORD
from flows import ruletests
from flows.assembly import Parts
from flows.naming import no_source
from flows.settings import Settings

MOST_BYTES = 64_000_000  # of standard input
MOST = 1_000  # events of a source that are looked at
MOST_FILES = 50  # of a folder
FIELDS = "fields"  # the source of events that are written as the rule sees them


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one source, whole."""

    source: str
    dialect: Dialect
    frame: pl.DataFrame


def find(what: str, logsource: LogSource, parts: Parts, settings: Settings, source: str | None = None) -> Events:
    """Return the events of a file, of standard input (`-`), or the one of that id.

    JSON objects by which no source is known are events as rules of `logsource` see them; so are all with `source`
    "fields".

    Raises:
        UsageError: nothing of the kind is there, or no source is known by its lines.
    """
    if source is not None and source != FIELDS and source not in parts.definitions:
        raise no_source(source, [FIELDS, *parts.definitions])
    if what != "-" and not Path(what).exists():
        return _by_id(what, parts, settings)
    if what != "-":
        return _of_file(Path(what), logsource, parts, source)
    with tempfile.NamedTemporaryFile(suffix=".log") as file:
        file.write(sys.stdin.buffer.read(MOST_BYTES))
        file.flush()
        return _of_file(Path(file.name), logsource, parts, source)


def every(
    whats: Sequence[str], logsource: LogSource, parts: Parts, settings: Settings, source: str | None = None
) -> list[Events]:
    """Return the events of several files, folders of files, and ids, put together by their source.

    Raises:
        UsageError: as `find` does, or a folder holds no file.
    """
    found: dict[str, list[Events]] = {}
    for what in (name for each in whats for name in _inside(each)):
        each = find(what, logsource, parts, settings, source)
        found.setdefault(each.source, []).append(each)
    return [_joined(some) for some in found.values()]


def _inside(what: str) -> list[str]:
    """Return the files of a folder, or what else is meant."""
    if what == "-" or not Path(what).is_dir():
        return [what]
    inside = [str(file) for file in sorted(Path(what).rglob("*")) if file.is_file()]
    if not 0 < len(inside) <= MOST_FILES:
        raise UsageError(f"{what} holds {len(inside):,} files", fix=f"name one file, or up to {MOST_FILES} of them")
    return inside


def _joined(some: Sequence[Events]) -> Events:
    frame = pl.concat([each.frame for each in some], how="diagonal_relaxed")
    return Events(some[0].source, some[0].dialect, frame.head(MOST))


def _of_file(path: Path, logsource: LogSource, parts: Parts, source: str | None) -> Events:
    if source == FIELDS:
        return _as_fields(path, logsource)
    batch = _first(path, parts, source)
    if batch is None or not (source or _known(batch, parts)):
        return _as_fields(path, logsource)
    parser = DefinedParser(parts.definitions[batch.source], enrichment=parts.enrichment)
    events = parser.parse(batch, None).events
    if events.is_empty():
        raise UsageError(f"nothing in {path} can be read as {batch.source}", fix="name another with --source")
    return Events(batch.source, parser.dialect, events.head(MOST))


def _first(path: Path, parts: Parts, source: str | None) -> Batch | None:
    files = FileSource([path], recogniser(parts.definitions), source, dead=lambda frame: frame)
    try:
        return next(files.batches(), None)
    finally:
        files.close()


def _known(batch: Batch, parts: Parts) -> bool:
    """Say whether records are more than JSON of any application."""
    dialect = parts.definitions[batch.source].dialect
    return dialect.logsource != LogSource() or not dialect.structured


def _as_fields(path: Path, logsource: LogSource) -> Events:
    try:
        data = path.read_bytes()
        lines = [data] if data.lstrip()[:1] == b"[" else [line for line in data.splitlines() if line.strip()]
        read = [orjson.loads(line) for line in lines[:MOST]]
    except (OSError, orjson.JSONDecodeError):
        raise UsageError(f"no source is known by the lines of {path}", fix="name it with --source") from None
    objects = [each for one in read for each in (one if isinstance(one, list) else [one]) if isinstance(each, dict)]
    if not objects:
        raise UsageError(f"{path} holds no events", fix="give log lines, or JSON objects")
    return Events(FIELDS, Dialect("test", logsource, {}, structured=True), ruletests.frame(objects))


def _by_id(name: str, parts: Parts, settings: Settings) -> Events:
    found = _in_store(name, settings) or next(_in_archive(name, settings), None)
    if found is None:
        raise UsageError(
            f"{name!r} is no file, and no event or finding that the store or the archive holds",
            fix="give log lines in a file, or `-` to read them from standard input",
        )
    source, original = found
    if source not in parts.definitions:
        raise UsageError(f"the event came from {source!r}, which no definition describes now")
    records = pl.DataFrame({"event.original": [original], "log.offset": [0], "soc.index": [0]}, schema=RECORD)
    parser = DefinedParser(parts.definitions[source], enrichment=parts.enrichment)
    return Events(source, parser.dialect, parser.parse(Batch(source, "event", name, records), None).events)


def _in_store(name: str, settings: Settings) -> tuple[str, str] | None:
    """Return source and record of an event that a finding shows; of a finding, its first one."""
    if not settings.store.is_file():
        return None
    store = Store(settings.store)
    try:
        document = store.finding(name)
        findings = [document] if document else store.select(limit=10_000).iter_rows(named=True)
        for finding in findings:
            for shown in orjson.loads(str(finding["soc.evidence"] or "[]")):
                if document or shown["event.id"] == name:
                    return str(finding["soc.source"]), str(shown["event.original"])
    finally:
        store.close()
    return None


def _in_archive(name: str, settings: Settings) -> Iterator[tuple[str, str]]:
    archive = Archive(settings.archive)
    for source in archive.sources():
        for batch in archive.read(source, report=lambda _: None):
            for original, offset, index in batch.records.select(RECORD.names()).iter_rows():
                if event_id(batch.source, batch.origin, offset, index, original) == name:
                    yield source, original
