"""The demo through Kafka and Elasticsearch: lines in, the pipeline as it runs every day, findings read back.

Simulated attacks must not stand among real ones, so topics that hold anything already are refused.
"""

from __future__ import annotations

import sys
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from connectors.elastic.client import connect, reaching
from connectors.elastic.setup import setup
from connectors.kafka import topics
from connectors.kafka.writer import DeadLetters, KafkaWriter
from connectors.simulator import SOURCES, Line
from dashboards import templates
from detectors.errors import UsageError
from detectors.schema import FINDING, MATCH, TIME
from flows import running
from flows.settings import Settings

ORIGIN = "demo"
PACKED = 500  # lines of one source in one envelope, at most
PAGE = 5_000  # documents in one answer


def ready(servers: Settings) -> None:
    """Make sure that there are both servers, with templates and empty topics.

    Raises:
        UsageError: a server isn't named, or a topic holds records already.
    """
    if servers.kafka.servers and not servers.elastic.url:
        raise _unnamed("elastic.url")
    empty(servers)
    client = connect(running.cluster(servers))
    try:
        setup(client, templates.bodies(templates.read()))
    finally:
        client.close()


def empty(servers: Settings) -> None:
    """Make sure that there is Kafka, with empty topics.

    Raises:
        UsageError: Kafka isn't named, or a topic holds records already.
    """
    if not servers.kafka.servers:
        raise _unnamed("kafka.servers")
    connection = running.kafka(servers)
    topics.setup(connection, SOURCES, partitions=1, replication=1)
    if full := topics.held(connection, SOURCES):
        named = ", ".join(full[:3]) + (" …" if len(full) > 3 else "")
        raise UsageError(
            f"{len(full)} topics hold records already ({named}): simulated attacks would stand among them",
            fix="give them a Kafka of their own",
        )


def _unnamed(setting: str) -> UsageError:
    return UsageError(f"--kafka needs servers, and `{setting}` is not set", fix="set it in soc.yml, or name --config")


@contextmanager
def sending(servers: Settings, *, keen: bool) -> Iterator[Callable[[Line], None]]:
    """Give what sends lines to the topics of their sources; `keen`: each at once, as one that waits for its time."""
    connection = running.kafka(servers)
    dead = DeadLetters(connection)
    writer = KafkaWriter(connection, dead)
    waiting: dict[str, list[str]] = defaultdict(list)

    def send(line: Line) -> None:
        lines = waiting[line.source]
        lines.append(line.text)
        if keen or len(lines) >= PACKED:
            writer.send(line.source, lines, ORIGIN)
            lines.clear()

    try:
        yield send
        for source, lines in waiting.items():
            if lines:
                writer.send(source, lines, ORIGIN)
    finally:
        writer.close()
        dead.close()


def detect(folder: Path, servers: Settings) -> running.Done:
    """Run the pipeline until it has caught up, in a group of its own, with an archive of its own."""
    kafka = servers.kafka.model_copy(update={"group": f"demo-{uuid.uuid4().hex[:12]}", "sources": [*SOURCES]})
    own = {"kafka": kafka, "archive": folder / "archive", "cache": folder / "cache"}
    return running.run(servers.model_copy(update=own), lambda text: print(text, file=sys.stderr))


def found(servers: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the findings (FINDING) and matches (MATCH) that Elasticsearch holds."""
    client = connect(running.cluster(servers))
    try:
        with reaching("read findings back"):
            return tuple(
                _all(client, alias, kind) for alias, kind in (("soc-findings", FINDING), ("soc-matches", MATCH))
            )  # type: ignore[return-value]
    finally:
        client.close()


def _all(client: Any, alias: str, kind: pl.Schema) -> pl.DataFrame:  # noqa: ANN401  # the client's types are vague
    client.indices.refresh(index=f"{alias}-*", ignore_unavailable=True)
    rows: list[dict[str, Any]] = []
    after: list[Any] | None = None
    order = "event.id" if kind is FINDING else "soc.match.id"
    while True:
        answer = client.search(
            index=f"{alias}-*", size=PAGE, sort=[{order: "asc"}], search_after=after, ignore_unavailable=True
        )
        hits = answer["hits"]["hits"]
        rows += [{name: _value(hit["_source"], name, kind[name]) for name in kind} for hit in hits]
        if len(hits) < PAGE:
            break
        after = hits[-1]["sort"]
    texts = {name: pl.String if dtype == TIME else dtype for name, dtype in kind.items()}
    frame = pl.DataFrame(rows, schema=texts, orient="row")
    times = [name for name, dtype in kind.items() if dtype == TIME]
    return frame.with_columns(pl.col(times).str.to_datetime(time_unit="us", time_zone="UTC"))


def _value(document: Any, name: str, dtype: Any) -> Any:  # noqa: ANN401  # JSON
    """Return what a nested document has under a dotted name, as the column holds it."""
    for part in name.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    if dtype == pl.String and isinstance(document, dict | list):  # evidence, decisions
        return orjson.dumps(document).decode()
    if isinstance(dtype, pl.List):
        return document if isinstance(document, list) or document is None else [document]
    return document
