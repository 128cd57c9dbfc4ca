"""`soc dashboards show`: a dashboard on the terminal, asked of Elasticsearch as Kibana would."""

from __future__ import annotations

import argparse
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from elasticsearch import Elasticsearch

from connectors.elastic.client import connect, reaching
from connectors.kibana import aggregation
from detectors.errors import UsageError
from flows.bench.table import table
from flows.commands.dashboards.opening import add_space, built
from flows.commands.options import moment, read_config
from flows.terminal import plain

Json = dict[str, Any]
ROWS = 15  # of a panel
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "board", nargs="?", default="shift", metavar="BOARD", help="shift (default), finding, entity, …"
    )
    add_space(parser)
    parser.add_argument("--since", type=moment, metavar="TIME", help="default: as far back as the dashboard looks")
    parser.add_argument("--until", type=moment, metavar="TIME", help="default: now")


def run(args: argparse.Namespace) -> int:
    """Print every panel with numbers."""
    settings = read_config(args)
    if not settings.elastic.url:
        raise UsageError("there is no Elasticsearch to ask", fix="set `elastic.url` in soc.yml")
    objects = built(args, settings)
    boards = {each["id"].split("-")[1]: each["attributes"] for each in objects if each["type"] == "dashboard"}
    if args.board not in boards:
        raise UsageError(f"there is no dashboard {args.board}", fix=f"choose one of {', '.join(boards)}")
    views = {each["id"]: each["attributes"] for each in objects if each["type"] == "index-pattern"}
    board = boards[args.board]
    until = args.until or datetime.now(UTC)
    hours = int(board["timeFrom"].removeprefix("now-").removesuffix("h"))
    since = args.since or until - timedelta(hours=hours)
    from flows.running import cluster  # noqa: PLC0415 - it brings Kafka's client, which no other verb needs

    client = connect(cluster(settings))
    try:
        print(plain(f"{board['title']}: {board['description']}"))
        for panel in json.loads(board["panelsJSON"]):
            if panel["type"] == "lens":
                lens = panel["embeddableConfig"]["attributes"]
                _panel(client, lens, views[lens["references"][0]["id"]], (since, until, settings.zone))
    finally:
        client.close()
    return 0


def _panel(client: Elasticsearch, lens: Json, view: Json, when: tuple[datetime, datetime, str]) -> None:
    since, until, zone = when
    asked = aggregation.search(lens, view, since=since, until=until, zone=zone)
    with reaching(f"answer the panel {lens['title']}"):
        answer = client.search(index=view["title"], ignore_unavailable=True, allow_no_indices=True, **asked)
    rows, columns = aggregation.rows(lens, dict(answer)), aggregation.layer(lens)["columns"]
    shown = [name for name in columns if "X" not in name]
    cells = [[_cell(row[name], zone) for name in shown] for row in rows]
    if shown == ["v0"]:
        print(f"{plain(lens['title'])}: {cells[0][0]}")
        return
    full = [line for line, row in zip(cells, rows, strict=True) if any(row[name] for name in shown if name[0] == "v")]
    print(f"\n{plain(lens['title'])}")
    print(table([columns[name]["label"] for name in shown], full[:ROWS]) if full else "  nothing")
    if len(full) > ROWS:
        print(f"  … {len(full) - ROWS} more")


def _cell(value: object, zone: str) -> str | int | float:
    """Return a value for people; times in their own zone."""
    if isinstance(value, str) and TIME.match(value):
        return f"{datetime.fromisoformat(value).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    if isinstance(value, str | int | float):
        return value
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
