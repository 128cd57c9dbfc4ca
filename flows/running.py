"""One bounded run of the detection pipeline: from the source of the settings to their sink.

The order that loses nothing: parse, archive, detect, store, and only then commit. While a server is down the run waits,
commits nothing, and stays in the consumer group.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from elasticsearch import Elasticsearch

from connectors.archive import Archive
from connectors.blocks import SECOND, microseconds
from connectors.definitions import means
from connectors.elastic.client import Cluster, connect
from connectors.elastic.memory import ElasticMemory
from connectors.elastic.sink import ElasticSink
from connectors.files import FileSource
from connectors.kafka.connection import Connection
from connectors.kafka.source import KafkaSource, Limits
from connectors.kafka.writer import DeadLetters
from connectors.multiline import carried
from connectors.recognise import recogniser
from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Memory, Sink, Source, Written
from detectors.errors import UsageError
from flows import blindness, protecting
from flows.assembly import Parts
from flows.correlating import remembering
from flows.doubts import expiring
from flows.ledger import Ledger
from flows.misdated import Misdated
from flows.patience import patiently
from flows.pipeline import Pipeline
from flows.reloading import Watched
from flows.settings import Settings, password
from flows.statistics import Statistics
from flows.terminal import plain

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did, and how long it took."""

    statistics: Statistics
    parts: Parts
    seconds: float


def check(settings: Settings) -> None:
    """Say whether settings name anything to read, before anything is started for it.

    Raises:
        UsageError: they don't.
    """
    if not settings.kafka.servers and not settings.inputs:
        raise UsageError("nothing to read", fix="set `kafka.servers` or `inputs` in soc.yml")


def run(settings: Settings, say: Say, *, seconds: float | None = None) -> Done:
    """Run until the source is caught up, or for some seconds.

    Raises:
        UsageError: the settings name no input, or another run has the same sources.
        UnavailableError: a server could not be reached at the start.
    """
    check(settings)
    start = time.monotonic()
    watched = Watched(settings, say)
    parts = watched.parts
    for each in parts.rules.filters:
        for doubt in expiring(each, datetime.now(UTC), ZoneInfo(settings.zone)):
            say(plain(str(doubt)))
    with ExitStack() as stack:
        stack.enter_context(_alone(settings))
        where = sink(settings, stack)
        source = _source(settings, parts, where, stack, seconds)
        remember = memory(settings, where, stack)
        ledger = Ledger(parts, settings.late * SECOND)
        misdated, archive = Misdated(settings.cache / "clocks"), Archive(settings.archive)
        pipeline = storing(parts, where, remember, say, archive=archive, ledger=ledger, misdated=misdated)
        guard = protecting.guard(settings, parts.definitions)
        for batch in map(guard.batch, carried(source.batches(), means(parts.definitions))):
            if watched.changed():
                pipeline.use(watched.parts, remembering(watched.parts, remember, microseconds))
                ledger.use(watched.parts)
            patiently(lambda batch=batch: pipeline.process(batch), source, say)  # type: ignore[misc]
            patiently(source.commit, source, say)
            for words in guard.look(batch):
                say(plain(words))
        if seconds is None or time.monotonic() - start < seconds:  # caught up, not stopped half-way
            patiently(lambda: settle(settings, pipeline, source), source, say)
        misdated.keep()
        if isinstance(source, FileSource):
            for fault in source.outcome.faults:
                say(f"not read: {plain(str(fault))}")
    return Done(pipeline.statistics, watched.parts, time.monotonic() - start)


def storing(
    parts: Parts,
    where: Sink,
    remember: Callable[[int], Memory],
    say: Say,
    *,
    archive: Archive | None = None,
    ledger: Ledger | None = None,
    misdated: Misdated | None = None,
) -> Pipeline:
    """Return the pipeline that stores what it finds, and whose correlations remember."""
    return Pipeline(
        parts.definitions,
        parts.engine,
        parts.detections,
        where,
        archive=archive,
        say=lambda text: say(plain(text)),
        exceptions=parts.exceptions,
        calendar=parts.calendar,
        correlating=remembering(parts, remember, microseconds),
        enrichment=parts.enrichment,
        ledger=ledger,
        misdated=misdated,
    )


def kafka(settings: Settings) -> Connection:
    """Return how to reach the brokers of the settings."""
    return Connection(
        tuple(settings.kafka.servers), settings.kafka.username, password(settings.kafka), ca=settings.kafka.ca
    )


def cluster(settings: Settings) -> Cluster:
    """Return how to reach the Elasticsearch of the settings."""
    part = settings.elastic
    return Cluster((part.url,), part.username if password(part) else "", password(part), part.ca)


def sink(settings: Settings, stack: ExitStack) -> Sink:
    """Open where results of the settings go; the stack closes it."""
    if not settings.elastic.url:
        store = Store(settings.store)
        stack.callback(store.close)
        return store
    dead = _DeadToStore(settings) if not settings.kafka.servers else DeadLetters(kafka(settings))
    elastic = ElasticSink(connect(cluster(settings)), dead, matches=settings.elastic.matches)
    stack.callback(elastic.close)
    return elastic


def settle(settings: Settings, pipeline: Pipeline, source: Source | None) -> None:
    """Let correlations tell what had to wait, once all that came so far was read."""
    idle = None if settings.idle is None else settings.idle * SECOND
    ends = source.ends() if isinstance(source, KafkaSource) and pipeline.waits else None
    pipeline.settle(late=settings.late * SECOND, idle=idle, ends=ends)


def memory(settings: Settings, sink: Sink, stack: ExitStack) -> Callable[[int], Memory]:
    """Return what makes the memory of correlations, which reaches back so many microseconds: where findings go."""
    elastic = cache(lambda: _connected(settings, stack))
    return lambda reach: StoreMemory(sink, reach) if isinstance(sink, Store) else ElasticMemory(elastic(), reach)


def _connected(settings: Settings, stack: ExitStack) -> Elasticsearch:
    client = connect(cluster(settings))
    stack.callback(client.close)
    return client


def _source(
    settings: Settings, parts: Parts, sink: Sink, stack: ExitStack, seconds: float | None
) -> FileSource | KafkaSource:
    if settings.kafka.servers:
        dead = DeadLetters(kafka(settings))
        stack.callback(dead.close)
        source = KafkaSource(
            kafka(settings),
            settings.kafka.sources or sorted(parts.definitions),
            group=settings.kafka.group,
            dead=dead,
            means=means(parts.definitions),
            # an envelope may hold thousands of lines, so small batches take few records at a time
            limits=Limits(lines=settings.kafka.batch, records=max(1, min(100, settings.kafka.batch // 500))),
            bounded=True,
            seconds=seconds,
        )
        stack.callback(source.close)
        return source
    guard = protecting.guard(settings, parts.definitions)
    return FileSource(settings.inputs, recogniser(parts.definitions), dead=lambda dead: sink.dead(guard.letters(dead)))


class _DeadToStore:
    """Dead letters of a run that has Elasticsearch but no Kafka: they stay in the embedded store."""

    def __init__(self, settings: Settings) -> None:
        self._store = Store(settings.store)

    def write(self, frame: pl.DataFrame) -> Written:
        return self._store.dead(frame)

    def close(self) -> None:
        self._store.close()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the lock of these sources on this machine; the kernel lets it go however the process ends."""
    names = "\n".join([settings.kafka.group, *settings.kafka.servers, *sorted(settings.kafka.sources)])
    names += "\n".join(sorted(str(path.absolute()) for path in settings.inputs))
    path = Path(settings.cache, f"run-{hashlib.sha256(names.encode()).hexdigest()[:12]}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("another run reads the same sources", place=None, fix="wait for it, or stop it") from None
        yield


def summary(done: Done) -> str:
    """Return what a run did, as Markdown for the run's artifact."""
    seen = done.statistics
    rules = done.parts.rules.rules
    blind = len(blindness.blind(rules, done.parts.definitions, seen.by_source))
    metas = {meta.id: meta for meta in done.parts.rules.metas()}
    rows = [
        f"| {_cell(metas[rule].title)} | {metas[rule].level} | {count} |"
        for rule, count in seen.matches.most_common(20)
        if rule in metas  # else it is gone since
    ]
    sources = [f"| {_cell(source)} | {count} |" for source, count in seen.by_source.most_common()]
    return "\n".join(
        [
            f"**{seen.events:,} events** in {done.seconds:.1f} s, **{seen.findings:,} new findings** "
            f"({seen.known_findings:,} known), {seen.excepted:,} matches taken by exceptions, "
            f"{seen.silenced.total():,} silenced, {seen.parse_failures:,} dead letters, "
            f"{len(done.parts.rules):,} rules ({len(done.parts.rules.faults):,} left out, {blind:,} blind on these "
            "sources).",
            "",
            "| source | events |",
            "|---|---|",
            *sources,
            "",
            "| rule | level | matches |",
            "|---|---|---|",
            *rows,
        ]
    )


def _cell(text: str) -> str:
    return plain(text, 80).replace("|", "\\|").replace("<", "&lt;")
