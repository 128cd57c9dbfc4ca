"""What every panel of every dashboard shows, asked of a real Elasticsearch and reckoned from the documents.

The panel as it goes to Kibana is compiled into its aggregation; what it should show is reckoned by Polars from what
people wrote in the definition, on documents of the embedded store and other frames: neither side knows the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from elasticsearch import Elasticsearch as Client

from connectors.elastic import Cluster, ElasticSink, connect, setup
from connectors.kibana import aggregation
from connectors.nested import nest
from connectors.store import Store
from dashboards import savedobjects, templates, terms
from dashboards.definitions import Board, Objects, View
from dashboards.panels import Chart, Table
from dashboards.terms import Group, Value, Where
from detectors.contracts import Written
from detectors.correlation.link import SECOND
from detectors.coverage import counted, watched
from detectors.schema import MATCH, SUPPRESSED, TIME
from flows.cli import main
from tests.integration.servers import Elasticsearch
from tests.sample_findings import START, province

pytestmark = pytest.mark.integration
ZONE = "Asia/Ho_Chi_Minh"
SINCE, UNTIL = START - timedelta(days=1), START + timedelta(days=4)
ALERTS = ".alerts-security.alerts-default"
OBJECTS = savedobjects.read(savedobjects.FOLDER / "objects.yml", Objects)
BOARDS = {path.stem: savedobjects.read(path, Board) for path in sorted(savedobjects.FOLDER.glob("boards/*.yml"))}
COMPILED = {each["id"].removeprefix("soc-"): each["attributes"] for each in savedobjects.build()}
UNITS = [("000.01.H21", "Sở Y tế"), ("000.02.H21", "UBND xã Ia Drăng"), ("000.03.H21", "Sở Tài chính")]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMED = {"host": "host.name", "user": "user.name", "address": "source.ip"}
KNOWN = {("findings", "soc.finding.id"): "event.id"}  # what a field is called by the embedded store
UNDER = ("rule.name", "soc.level", "soc.group", "event.id")
Frames = dict[str, pl.DataFrame]


class Nowhere:
    """Dead letters that nobody reads."""

    def write(self, frame: pl.DataFrame) -> Written:
        return Written(created=frame.height)

    def close(self) -> None:
        pass


def findings() -> pl.DataFrame:
    """Return two days of a province: of most findings an organisation is known, some are anomalies, some withdrawn."""
    found = province(60).with_row_index("n")
    which = pl.col("n") % 4
    whose = [pl.when(which < 3).then(pl.concat_list(_pick(which, [u[side] for u in UNITS]))) for side in (0, 1)]
    tactic = pl.col("soc.attack").list.eval(pl.element().str.split(" / ").list.first()).list.unique(maintain_order=True)
    return found.with_columns(
        whose[0].alias("organization.id"),
        whose[1].alias("organization.name"),
        pl.when(pl.col("n") % 5 == 0).then(pl.lit("anomaly")).when(pl.col("n") % 11 == 0)
        .then(pl.lit("correlation-withdrawn")).otherwise(pl.lit("rule-matched")).alias("event.action"),
        pl.when(pl.col("n") % 5 == 0).then(pl.lit("pyod")).otherwise(pl.lit("sigma")).alias("event.provider"),
        tactic.alias("threat.tactic.name"),
        tactic.alias("threat.tactic.id"),
        pl.col("host.name").alias("related.hosts"),
        pl.col("user.name").alias("related.user"),
        pl.col("source.ip").alias("related.ip"),
        pl.lit("v1").alias("rule.version"),
        (pl.col("n") % 2).replace_strict([0, 1], ["sshd", "nginx"], return_dtype=pl.String).alias("soc.source"),
        (pl.col("event.severity") - pl.col("n") % 3).cast(pl.Float64).alias("event.risk_score"),
        pl.lit("stable").alias("soc.status"),
        pl.when(pl.col("n") % 7 == 0).then(pl.lit(["user.name"])).alias("soc.capped"),
        pl.lit(["https://cong-tt.example/tra-cuu"]).alias("url.original"),
    ).drop("n").select(province(1).columns)  # fmt: skip


def _pick(which: pl.Expr, values: list[str]) -> pl.Expr:
    return which.replace_strict(range(len(values)), values, default=None, return_dtype=pl.String)


def matches() -> pl.DataFrame:
    """Return matches under findings and under none: of the same rules, levels, groups and ids."""
    found = findings()
    rules, levels, groups, ids = (found[name].unique(maintain_order=True).to_list() for name in UNDER)
    rows = [
        (START + timedelta(minutes=47 * n), f"m{n}", f"r{n % 3}", rules[n % 3], levels[n % 3], [f"e{n}"],
         ["sshd", "nginx"][n % 2], groups[n % 5], ids[n % 9], "signal" if n % 4 == 0 else None)
        for n in range(40)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=MATCH, orient="row")


def suppressed() -> pl.DataFrame:
    rules = findings()["rule.name"].unique(maintain_order=True).to_list()
    rows = [
        dict.fromkeys(SUPPRESSED)
        | {"@timestamp": START + timedelta(hours=n), "soc.suppressed.id": f"s{n}", "soc.exception.title": f"x{n % 3}",
           "rule.name": rules[n % 2], "soc.level": ["low", "high"][n % 2]}
        for n in range(17)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SUPPRESSED)


def coverage() -> pl.DataFrame:
    """Return the ledger of two days in which three sources wrote, as a run enters it."""
    found = []
    for place, source in enumerate(("sshd", "nginx", "windows")):
        for hour in range(26):
            events = pl.DataFrame(
                {
                    "@timestamp": [START + timedelta(hours=hour, minutes=60 * n / 40 * (-1) ** n) for n in range(40)],
                    "organization.id": [UNITS[(hour + n) % 3][0] for n in range(40)],
                    "organization.name": [UNITS[(hour + n) % 3][1] for n in range(40)],
                },
                schema={"@timestamp": TIME, "organization.id": pl.String, "organization.name": pl.String},
            )
            matched = np.arange(hour % 4 + place)
            found.append(
                counted(source, f"{source}@{hour}", events, matched=matched, failures=hour % 3, newest=None,
                        late=300 * SECOND, now=UNTIL)
            )  # fmt: skip
        for day in range(2):
            attack = {"impact / T1490": place + 1, **({"execution / T1059": 7} if place else {})}
            at, blind = START.replace(hour=0) + timedelta(days=day), [f"b{n}" for n in range(place)]
            found.append(watched(source, at, f"v{day}", rules=300 + place, blind=blind, attack=attack))
    return pl.concat(found)


def verdicts() -> pl.DataFrame:
    rules = findings()["rule.name"].unique(maintain_order=True).to_list()
    reasons = ["false_positive", "true_positive", "issue_resolved", None, "duplicate"]
    return pl.DataFrame(
        [
            {"@timestamp": START + timedelta(hours=n), "event.id": f"v{n}", "event.reference": f"f{n}",
             "rule.name": rules[n % 3], "soc.level": ["low", "high"][n % 2], "organization.id": UNITS[n % 2][0],
             "organization.name": UNITS[n % 2][1], "soc.verdict.reason": reasons[n % 5],
             "soc.verdict.status": "closed" if reasons[n % 5] else "new"}
            for n in range(40)
        ]
    )  # fmt: skip


def risk() -> pl.DataFrame:
    """Return the risk of entities of findings over a day and a half; `soc.level` is but another name."""
    found = findings()
    entities = [
        (kind, name, 88.0 - 7 * place)
        for kind, column in NAMED.items()
        for place, name in enumerate(found[column].explode().drop_nulls().unique(maintain_order=True).head(3))
    ] + [("organisation", code, 75.2 - place) for place, (code, _) in enumerate(UNITS)]
    return pl.DataFrame(
        [
            {"@timestamp": START + timedelta(hours=6 * hour), "soc.entity.kind": kind, "soc.entity.name": name,
             "soc.entity.risk": base - 3.5 * hour, "soc.entity.level": "high" if base - 3.5 * hour > 70 else "medium",
             "soc.entity.rules": [f"rule {n}" for n in range(1 + hour % 2)],
             "organization.id": UNITS[place % 3][0], "organization.name": UNITS[place % 3][1],
             **{column: name if kind == known else None for known, column in NAMED.items()}}
            for hour in range(6)
            for place, (kind, name, base) in enumerate(entities)
        ]
    ).with_columns(pl.col("soc.entity.level").alias("soc.level"))  # fmt: skip


def alerts() -> pl.DataFrame:
    rules = findings()["rule.name"].unique(maintain_order=True).to_list()
    reasons = ["false_positive", None, "issue_resolved", "expected_activity"]
    return pl.DataFrame(
        [
            {"@timestamp": START + timedelta(hours=n), "kibana.alert.rule.name": rules[n % 3],
             "rule.name": rules[n % 3], "soc.level": ["low", "high"][n // 2 % 2],
             "organization.name": UNITS[n // 4 % 3][1],
             "kibana.alert.workflow_status": "closed" if reasons[n % 4] else "open",
             "kibana.alert.workflow_reason": reasons[n % 4]}
            for n in range(30)
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def admin(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    server = elasticsearch_server
    client = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca, timeout=20))
    client.indices.delete(index=ALERTS, ignore_unavailable=True)
    for index in client.indices.get(index="soc-*"):
        client.indices.delete(index=index)
    setup(client, templates.bodies(templates.read()))
    yield client
    client.close()


@pytest.fixture(scope="module")
def frames(admin: Client, elasticsearch_server: Elasticsearch, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Put the documents where panels look, and return them as they are known elsewhere: findings from the store."""
    server = elasticsearch_server
    sink = ElasticSink(connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca)), Nowhere())
    store = Store(Path(tmp_path_factory.mktemp("panels"), "store.sqlite"))
    for where in (sink, store):
        written = where.findings(findings())
        assert written.created + written.known == 60
    sink.matches(matches())
    sink.suppressed(suppressed())
    views = OBJECTS.views["alerts"].fields.items()
    mapping = {**templates.nested({name: {"type": kind} for name, kind in views}), "dynamic": False}
    admin.options(ignore_status=400).indices.create(index=ALERTS, mappings=mapping)
    assert sink.cover(coverage()).created == coverage().height
    documents = {"soc-verdicts-x": verdicts(), "soc-entity-risk-x": risk().drop("soc.level"), ALERTS: alerts()}
    for index, frame in documents.items():
        lines: list[Any] = [line for row in frame.to_dicts() for line in (b'{"create":{}}', orjson.dumps(nest(row)))]
        assert not admin.bulk(index=index, operations=lines)["errors"]
    admin.indices.refresh(index=f"soc-*,{ALERTS}")
    times = [{"field": "event.ingested"}]
    hits = admin.search(index="soc-findings-*", size=100, docvalue_fields=times, source=False)["hits"]["hits"]
    stored = pl.DataFrame([(hit["_id"], hit["fields"]["event.ingested"][0]) for hit in hits],
                          schema={"event.id": pl.String, "event.ingested": pl.String}, orient="row")  # fmt: skip
    kept = store.select(limit=1000).join(stored, on="event.id")
    kept = kept.with_columns(pl.col("event.ingested").str.to_datetime(time_zone="UTC"))
    sink.close()
    store.close()
    return {"findings": kept, "stored": kept, "matches": matches(), "suppressed": suppressed(),
            "coverage": coverage(), "verdicts": verdicts(), "risk": risk(), "alerts": alerts()}  # fmt: skip


# What a panel should show


def holds(where: Where) -> pl.Expr:
    return reduce(
        lambda one, other: one & other, (_holds(name, test) for name, test in where.items()), pl.lit(value=True)
    )


def _holds(name: str, test: terms.Test) -> pl.Expr:
    column = pl.col(name)
    if test.there is not None:
        return column.is_not_null() == test.there
    if test.none_of:
        return ~column.is_in(list(test.none_of)).fill_null(value=False)
    return column.is_in(list(test.one_of)).fill_null(value=False)


def number(frame: pl.DataFrame, value: Value, time: str) -> Any:
    some = frame.filter(holds(value.where))
    if value.share is not None:
        return some.filter(holds(value.share)).height / some.height if some.height else None
    if value.field is None:
        return some.height
    there = some.filter(pl.col(value.field).is_not_null())
    column = there[value.field]
    if value.operation == "last":
        return None if there.is_empty() else there.sort(time)[value.field][-1]
    if value.operation == "unique":
        return (column.explode() if column.dtype == pl.List else column).drop_nulls().n_unique()
    if value.operation == "sum":
        return column.sum()
    return {"max": column.max, "min": column.min, "average": column.mean}[value.operation]()


def keyed(frame: pl.DataFrame, group: Group, time: str, every: str) -> pl.DataFrame:
    """Return the documents with the group's value, once for each that they have."""
    if group.by == time:
        key = pl.col(time).dt.convert_time_zone(ZONE).dt.truncate(every)
        return frame.with_columns(key.alias("key"))
    frame = frame.with_columns(pl.col(group.by).alias("key"))
    return (frame.explode("key") if frame["key"].dtype == pl.List else frame).filter(pl.col("key").is_not_null())


def expected(frame: pl.DataFrame, panel: Chart, time: str, every: str) -> dict[tuple[Any, ...], list[Any]]:
    """Return all rows there are, by their keys, whatever the sizes of groups."""
    found = {(): frame}
    for group in panel.groups:
        found = {
            (*keys, *key): part
            for keys, some in found.items()
            for key, part in keyed(some, group, time, every).group_by("key")
        }
    return {keys: [number(part, value, time) for value in panel.numbers] for keys, part in found.items()}


def plain(value: Any) -> Any:
    """Return values of both sides in one form."""
    if isinstance(value, str) and len(value) > 19 and value[10] == "T":
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)  # Elasticsearch cuts what is finer
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, list):
        return value[0] if len(value) == 1 else sorted(value)
    return round(value, 6) if isinstance(value, float) else value


def every(panel: Chart, view: View, length: timedelta) -> str:
    """Return the stretch of the panel's time, if it has one."""
    chosen = [group.every for group in panel.groups if group.by == view.time]
    return aggregation.stretch(length) if chosen == ["auto"] else "".join(chosen) or "1d"


def period(view: View) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return (now - timedelta(hours=1), now) if view.time == "event.ingested" else (SINCE, UNTIL)


def told(panel: Chart, view: View, rows: dict[tuple[Any, ...], list[Any]]) -> dict[tuple[Any, ...], list[Any]]:
    """Return rows in the form of both sides; stretches of time in which there was nothing are left out."""
    found = {tuple(map(plain, key)): [plain(value) for value in values] for key, values in rows.items()}
    if not any(group.by == view.time for group in panel.groups):
        return found
    return {key: values for key, values in found.items() if any(values)}


def charts(name: str) -> list[tuple[Chart, dict[str, Any]]]:
    """Return the charts of a dashboard, as they are written and as they are compiled."""
    compiled = json.loads(COMPILED[name]["panelsJSON"])
    return [
        (panel, compiled[number]["embeddableConfig"]["attributes"])
        for number, panel in enumerate(BOARDS[name].panels)
        if isinstance(panel, Chart)
    ]


def asked(panel: Chart, lens: dict[str, Any], chosen: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the header and the body of a panel's search."""
    view = OBJECTS.views[panel.view]
    since, until = period(view)
    body = aggregation.search(lens, COMPILED[f"view-{panel.view}"], since=since, until=until, zone=ZONE, chosen=chosen)
    return [{"index": view.pattern.replace("{space}", "default")}, body]


def rows_of(name: str, panel: Chart, frames: Frames) -> pl.DataFrame:
    """Return the documents that a panel shows when nothing is chosen."""
    where = BOARDS[name].where if panel.view == charts(name)[0][0].view else {}
    return frames[panel.view].filter(holds({**where, **panel.where}))


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_of_a_dashboard_shows_what_is_so(admin: Client, frames: Frames, name: str) -> None:
    answers = admin.msearch(searches=[part for chart in charts(name) for part in asked(*chart)])["responses"]
    for (panel, lens), answer in zip(charts(name), answers, strict=True):
        assert answer["status"] == 200, (panel.title, answer)
        compare(panel, aggregation.rows(lens, answer), rows_of(name, panel, frames))


CONTROLS = [(name, control.field) for name, board in BOARDS.items() for control in board.controls]


@pytest.mark.parametrize(("name", "field"), CONTROLS)
def test_every_panel_heeds_what_is_chosen_above_it(admin: Client, frames: Frames, name: str, field: str) -> None:
    wanted, searches = [], []
    for panel, lens in charts(name):
        rows, chosen = rows_of(name, panel, frames), "nothing has this value"
        if panel.filters and not any(test.there is False for test in panel.where.values()):
            rows, chosen = most(rows, KNOWN.get((panel.view, field), field))
            assert rows.height, f"{panel.title} is empty whatever {field} is chosen"
        elif panel.filters:
            rows = rows.clear()
        wanted.append(rows)
        searches += asked(panel, lens, {"match_phrase": {field: chosen}})
    answers = admin.msearch(searches=searches)["responses"]
    for (panel, lens), answer, rows in zip(charts(name), answers, wanted, strict=True):
        assert answer["status"] == 200, (panel.title, answer)
        compare(panel, aggregation.rows(lens, answer), rows)


def most(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, Any]:
    """Return the documents that have the most frequent value of a column, and the value."""
    several = rows.schema[column] == pl.List
    values = (rows[column].explode(empty_as_null=True) if several else rows[column]).drop_nulls().mode().sort()
    if values.is_empty():
        return rows.clear(), None
    has = pl.col(column).list.contains(values[0]) if several else pl.col(column) == values[0]
    return rows.filter(has), values[0]


def test_a_dashboard_is_shown_on_a_terminal(
    elasticsearch_server: Elasticsearch,
    frames: Frames,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOC_ELASTIC__PASSWORD", elasticsearch_server.passwords["analyst"])
    elastic = {"url": elasticsearch_server.url, "username": "analyst", "ca": str(elasticsearch_server.ca)}
    (tmp_path / "soc.yml").write_text(json.dumps({"elastic": elastic}), "utf-8")
    asked = ["--config", str(tmp_path / "soc.yml"), "--since", SINCE.isoformat(), "--until", UNTIL.isoformat()]
    assert main(["dashboards", "show", "shift", *asked]) == 0
    told = capsys.readouterr().out
    assert f"All findings: {frames['findings'].height}\n" in told
    assert "Open alerts: 8\n" in told
    assert re.search(r"^Sở Y tế +15$", told, re.MULTILINE)


def compare(panel: Chart, rows: list[dict[str, Any]], frame: pl.DataFrame) -> None:
    view = OBJECTS.views[panel.view]
    since, until = period(view)
    wanted = told(panel, view, expected(frame, panel, view.time, every(panel, view, until - since)))
    groups, numbers = [f"g{n}" for n in range(len(panel.groups))], [f"v{n}" for n in range(len(panel.numbers))]
    found = told(
        panel, view, {tuple(row[group] for group in groups): [row[value] for value in numbers] for row in rows}
    )
    assert wanted, f"{panel.title}: the documents of this test have nothing to show"
    assert found == {key: wanted[key] for key in found}, panel.title
    sizes = [(place, group.size) for place, group in enumerate(panel.groups) if group.by != view.time]
    if all(len({key[place] for key in wanted}) <= size for place, size in sizes):
        assert found.keys() == wanted.keys(), panel.title
    else:
        assert len(found) >= min(size for _, size in sizes), panel.title
    if isinstance(panel, Table) and panel.numbers[0].operation in {"count", "max", "sum"} and len(groups) == 1:
        first = [plain(row["v0"]) for row in rows]
        assert first == sorted(first, reverse=True), panel.title
