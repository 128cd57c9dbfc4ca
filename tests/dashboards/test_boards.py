"""What is compiled from the definitions: it can be imported, and asks for nothing that isn't there."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.kibana import aggregation
from dashboards import savedobjects, templates
from dashboards.definitions import Objects
from detectors.errors import UsageError

CHECK = Path(__file__).resolve().parents[3] / "shared" / "tools" / "check_ndjson.py"
SMOKE = Path(__file__).resolve().parents[1] / "smoke.sh"
TITLES = {
    "Shift overview", "Finding", "Entity", "Organisation", "ATT&CK coverage and hits", "Anomalies",
    "Source health and coverage", "Rules: precision and noise", "Pipeline health",
}  # fmt: skip
Json = dict[str, Any]


@pytest.fixture(scope="module")
def objects() -> list[Json]:
    return savedobjects.build()


def boards(objects: list[Json]) -> dict[str, Json]:
    return {each["attributes"]["title"]: each for each in objects if each["type"] == "dashboard"}


def panels(board: Json) -> list[Json]:
    found: list[Json] = json.loads(board["attributes"]["panelsJSON"])
    return found


def layers(board: Json) -> Iterator[tuple[str, Json, Json]]:
    """Yield the data view, the state and the columns of every Lens panel."""
    for panel in panels(board):
        if panel["type"] == "lens":
            lens = panel["embeddableConfig"]["attributes"]
            (layer,) = lens["state"]["datasourceStates"]["formBased"]["layers"].values()
            yield lens["references"][0]["id"], lens["state"], layer["columns"]


def asked(query: str) -> set[str]:
    """Return the fields that a query names."""
    return set(re.findall(r"([@\w.]+)(?::| >=)", re.sub(r'"[^"]*"', '""', query)))


def test_there_are_the_nine_dashboards_of_the_programme(objects: list[Json]) -> None:
    assert boards(objects).keys() == TITLES
    (looked_for,) = re.findall(r"^for board in (.*); do$", SMOKE.read_text("utf-8"), re.MULTILINE)
    assert {f"soc-{name}" for name in looked_for.split()} == {each["id"] for each in boards(objects).values()}


def test_the_same_definitions_give_the_same_bytes(objects: list[Json]) -> None:
    text = savedobjects.ndjson(objects)
    assert text == savedobjects.ndjson(savedobjects.build())
    lines = text.decode().splitlines()
    assert len(lines) == len(objects)
    assert all(line == json.dumps(json.loads(line), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
               for line in lines)  # fmt: skip


@pytest.mark.parametrize(("space", "lang"), [("default", "en"), ("gialai", "vi")])
def test_kibana_can_import_them(space: str, lang: Any) -> None:
    if not CHECK.is_file():
        pytest.skip(f"{CHECK} is missing")
    assert runpy.run_path(str(CHECK))["check"](savedobjects.build(space=space, lang=lang)) == []


def test_every_reference_leads_to_an_object_of_the_file(objects: list[Json]) -> None:
    known = {(each["type"], each["id"]) for each in objects}
    for each in objects:
        names = [reference["name"] for reference in each["references"]]
        assert len(names) == len(set(names))
        assert {(reference["type"], reference["id"]) for reference in each["references"]} <= known


def test_every_field_used_is_in_the_templates(objects: list[Json]) -> None:
    read = Objects.model_validate(yaml.safe_load((savedobjects.FOLDER / "objects.yml").read_text("utf-8")))
    types = {f"soc-view-{name}": fields for name, fields in savedobjects.types(read).items()}
    mapped = templates.fields(templates.read())
    for name, each in read.views.items():
        if each.template:
            assert types[f"soc-view-{name}"] == mapped[each.template]
    seen = 0
    for board in boards(objects).values():
        for view, state, columns in layers(board):
            names = asked(state["query"]["query"])
            for column in columns.values():
                names |= asked(column.get("filter", {}).get("query", ""))
                names |= {column["sourceField"]} - {"___records___"} if "sourceField" in column else set()
                names |= {column["params"]["sortField"]} if "sortField" in column["params"] else set()
            assert names <= types[view].keys()
            seen += len(names)
        for control in json.loads(board["attributes"]["controlGroupInput"]["panelsJSON"]).values():
            assert any(control["explicitInput"]["fieldName"] in fields for fields in types.values())
    for search in objects:
        if search["type"] == "search":
            (view,) = (one["id"] for one in search["references"] if one["type"] == "index-pattern")
            source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            assert {*search["attributes"]["columns"], *asked(source["query"]["query"])} <= types[view].keys()
    assert seen > 100


def test_no_two_panels_lie_on_each_other_and_none_hangs_over(objects: list[Json]) -> None:
    for title, board in boards(objects).items():
        taken: set[tuple[int, int]] = set()
        for panel in panels(board):
            grid = panel["gridData"]
            cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                     for y in range(grid["y"], grid["y"] + grid["h"])}  # fmt: skip
            assert not cells & taken, title
            assert grid["x"] + grid["w"] <= 48
            taken |= cells
        assert len(panels(board)) <= 100


def test_rows_of_panels_leave_no_holes(objects: list[Json]) -> None:
    for title, board in boards(objects).items():
        rows = sorted({panel["gridData"]["y"] for panel in panels(board)})
        for row, below in pairwise(rows):
            widths = [panel["gridData"] for panel in panels(board) if panel["gridData"]["y"] == row]
            assert max(grid["y"] + grid["h"] for grid in widths) == below, title


def test_every_board_helps_in_both_languages_and_leads_on(objects: list[Json]) -> None:
    for title, board in boards(objects).items():
        texts = [panel["embeddableConfig"]["savedVis"]["params"]["markdown"]
                 for panel in panels(board) if panel["type"] == "visualization"]  # fmt: skip
        assert texts, title
        assert all(re.search("[ăâđêôơưạảấầẩậắằặẹẻếềểễệỉịọỏốồổộớờởợụủứừửựỳỷỹ]", text) for text in texts)
        assert all("---" in text for text in texts)
        assert any(panel["type"] == "links" for panel in panels(board)), title


def test_drilldowns_are_those_of_the_basic_licence(objects: list[Json]) -> None:
    factories = {
        event["action"]["factoryId"]
        for board in boards(objects).values()
        for panel in panels(board)
        for event in panel["embeddableConfig"].get("enhancements", {}).get("dynamicActions", {}).get("events", [])
    }
    assert factories == {"DASHBOARD_TO_DASHBOARD_DRILLDOWN"}


def test_a_panel_may_show_all_whatever_is_chosen(objects: list[Json]) -> None:
    lenses = [panel["embeddableConfig"]["attributes"] for panel in panels(boards(objects)["Shift overview"])
              if panel["type"] == "lens"]  # fmt: skip
    unheeding = [lens["title"] for lens in lenses if aggregation.layer(lens).get("ignoreGlobalFilters")]
    assert unheeding == ["Sources heard of"]
    charts = [panel["config"] for panel in savedobjects.bodies()["shift"]["panels"]]
    assert [chart["title"] for chart in charts if chart.get("ignore_global_filters")] == unheeding


def test_attack_is_shown_by_pairs_only(objects: list[Json]) -> None:
    for _, _, columns in layers(boards(objects)["ATT&CK coverage and hits"]):
        grouped = {column["sourceField"] for column in columns.values() if column["isBucketed"]}
        assert not {"threat.tactic.name", "threat.technique.id"} <= grouped  # two lists would make false cells


def test_a_space_has_ids_of_its_own(objects: list[Json]) -> None:
    other = savedobjects.build(space="gialai")
    assert not {each["id"] for each in objects} & {each["id"] for each in other}
    assert any(each["attributes"].get("title") == ".alerts-security.alerts-gialai" for each in other)


def test_titles_are_vietnamese_on_request() -> None:
    found = boards(savedobjects.build(lang="vi"))
    assert "Tổng quan ca trực" in found
    assert not found.keys() & (TITLES - {"ATT&CK coverage and hits"})


BOARD = "title: T\npanels:\n"


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        ("- metric: M\n  value: max no.such", "no index has the field no.such"),
        ("- metric: M\n  value: middle soc.count", "'middle soc.count' is neither `count` nor one of max"),
        ("- table: T\n  rows: [message]", "message is of the type text"),
        ("- metric: M\n  value: max rule.name", "rule.name is no number"),
        ("- metric: M\n  view: nowhere", "there is no view nowhere; choose one of findings"),
        ("- sparkle: S", "a panel begins with its kind and title; kinds are markdown"),
        ("- metric: M\n  colour: red", r"panels\.1\.metric\.colour: Extra inputs are not permitted"),
        ("- metric: M\n  size: 60x3", "a panel is 1 to 48 columns wide"),
        ("- bar: B\n  x: soc.level\n  open: nowhere", "there is no dashboard nowhere"),
        ("- search: nothing", "there is no search nothing"),
        ("- metric: [", "not valid YAML"),
        (
            "- metric: M\ncontrols: [{ field: soc.source, title: S, view: risk }]",
            "documents of risk haven't this field",
        ),
        ("- search: matches\ncontrols: [{ field: rule.version, title: V }]", "documents of matches haven't this"),
        (
            "- metric: M\n  view: coverage\ncontrols: [{ field: rule.name, title: R }]",
            "M is empty when a value of rule",
        ),
    ],
)
def test_a_wrong_definition_is_told_with_its_file_and_the_fix(tmp_path: Path, panel: str, words: str) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "objects.yml").write_text((savedobjects.FOLDER / "objects.yml").read_text("utf-8"), "utf-8")
    (tmp_path / "boards" / "mine.yml").write_text(BOARD + panel, "utf-8")
    with pytest.raises(UsageError, match=words) as fault:
        savedobjects.build(tmp_path)
    assert fault.value.place is not None
    assert fault.value.place.file.endswith("mine.yml")
