"""A dashboard as a saved object: panels in their places, controls, and references under the names Kibana looks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.definitions import Board, Control, View
from dashboards.kql import kql
from dashboards.lens import Types, attributes
from dashboards.panels import WIDTH, AnyPanel, Chart, Links, Markdown, Search
from dashboards.terms import Lang
from detectors.errors import UsageError

Json = dict[str, Any]
Id = Callable[[str], str]  # of an object, by its name
DRILLDOWN: Final = "DASHBOARD_TO_DASHBOARD_DRILLDOWN"  # Kibana's Basic licence has it; one to a URL needs Gold
KEPT: Final = {"useCurrentDateRange": True, "useCurrentFilters": True}
OPTIONS: Final = {
    "useMargins": True, "syncColors": True, "syncCursor": True, "syncTooltips": False, "hidePanelTitles": False,
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What boards are made with: views and the types of their fields, names of objects, and a language."""

    views: Mapping[str, View]
    types: Mapping[str, Types]
    titles: Mapping[str, str]  # of all dashboards
    searches: Mapping[str, str]  # their views
    id: Id
    lang: Lang

    def view(self, name: str) -> View:
        """Return a view by its name."""
        if name not in self.views:
            raise UsageError(f"there is no view {name}", fix=f"choose one of {', '.join(self.views)}")
        return self.views[name]


def dashboard(board: Board, made: Made) -> tuple[Json, list[Json]]:
    """Return the attributes of a dashboard and its references."""
    panels, references = [], []
    main = next((panel.view for panel in board.panels if isinstance(panel, Chart)), None)
    for number, (panel, place) in enumerate(placed(board.panels)):
        index = f"p{number:02d}"
        where = kql(board.where) if isinstance(panel, Chart) and panel.view == main else ""
        config, kind, named = _panel(panel, index, where, made)
        panels.append(
            {"type": kind, "panelIndex": index, "gridData": {**place, "i": index}, "embeddableConfig": config}
            | ({"panelRefName": f"panel_{index}"} if isinstance(panel, Search) else {})
        )
        references += [{**each, "name": f"{index}:{each['name']}"} for each in named]
    controls, chosen = _controls(board, made)
    return _attributes(board, panels, controls, made), references + chosen


def _attributes(board: Board, panels: Sequence[Json], controls: Json, made: Made) -> Json:
    refresh = {"pause": board.refresh == 0, "value": board.refresh * 1000 or 60_000}
    source = {"query": {"language": "kuery", "query": ""}, "filter": []}
    return {
        "title": board.named(made.lang),
        "description": board.description,
        "version": 1,
        "timeRestore": True,
        "timeFrom": f"now-{board.hours}h",
        "timeTo": "now",
        "refreshInterval": refresh,
        "optionsJSON": text(OPTIONS),
        "panelsJSON": text(panels),
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(source)},
        "controlGroupInput": controls,
    }


def text(value: object) -> str:
    """Return JSON that is the same whenever the value is."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def placed(panels: Iterable[AnyPanel]) -> Iterator[tuple[AnyPanel, Json]]:
    """Yield panels with their places: side by side as long as they fit, then below the highest of the row."""
    x = y = height = 0
    for panel in panels:
        width, rows = panel.extent
        if x + width > WIDTH:
            x, y, height = 0, y + height, 0
        yield panel, {"x": x, "y": y, "w": width, "h": rows}
        x, height = x + width, max(height, rows)


def _panel(panel: AnyPanel, index: str, where: str, made: Made) -> tuple[Json, str, list[Json]]:
    """Return a panel's configuration, its type, and what it refers to."""
    title = {"title": panel.named(made.lang), "enhancements": {}}
    if isinstance(panel, Markdown):
        return {**title, "hidePanelTitles": True, "savedVis": _markdown(panel)}, "visualization", []
    if isinstance(panel, Search):
        if panel.search not in made.searches:
            raise UsageError(
                f"there is no search {panel.search}", fix=f"choose one of {', '.join(sorted(made.searches))}"
            )
        reference = {"name": f"panel_{index}", "type": "search", "id": made.id(f"search-{panel.search}")}
        return title, "search", [reference]
    if isinstance(panel, Links):
        config, links = _links(panel, made)
        return {**title, "hidePanelTitles": True, "attributes": config}, "links", links
    view = made.view(panel.view)
    lens = attributes(
        panel, made.id(f"view-{panel.view}"), time=view.time, types=made.types[panel.view], where=where, lang=made.lang
    )
    events, drilldowns = _drilldown(panel, made)
    config = {**title, "enhancements": {"dynamicActions": {"events": events}} if events else {}, "attributes": lens}
    return config, "lens", [*lens["references"], *drilldowns]


def _markdown(panel: Markdown) -> Json:
    words = f"{panel.vietnamese.strip()}\n\n---\n\n{panel.english.strip()}"
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    params = {"fontSize": 12, "openLinksInNewTab": False, "markdown": words}
    return {
        "id": "", "title": "", "description": "", "type": "markdown", "params": params, "uiState": {},
        "data": {"aggs": [], "searchSource": source},
    }  # fmt: skip


def _links(panel: Links, made: Made) -> tuple[Json, list[Json]]:
    links, references = [], []
    for order, name in enumerate(panel.to):
        reference = f"link_{name}_dashboard"
        links.append(
            {
                "id": name,
                "order": order,
                "type": "dashboardLink",
                "label": _dashboard(name, made),
                "destinationRefName": reference,
                "options": {"openInNewTab": False, **KEPT},
            }
        )
        references.append({"name": reference, "type": "dashboard", "id": made.id(name)})
    return {"layout": "horizontal", "links": links}, references


def _drilldown(panel: Chart, made: Made) -> tuple[list[Json], list[Json]]:
    """Return what a click on a value leads to: the dashboard, with that value as its filter."""
    if panel.open is None:
        return [], []
    event = f"open-{panel.open}"
    action = {
        "factoryId": DRILLDOWN, "name": f"→ {_dashboard(panel.open, made)}", "config": {"openInNewTab": False, **KEPT},
    }  # fmt: skip
    name = f"drilldown:{DRILLDOWN}:{event}:dashboardId"
    reference = {"name": name, "type": "dashboard", "id": made.id(panel.open)}
    return [{"eventId": event, "triggers": ["FILTER_TRIGGER"], "action": action}], [reference]


def _dashboard(name: str, made: Made) -> str:
    if name not in made.titles:
        raise UsageError(f"there is no dashboard {name}", fix=f"choose one of {', '.join(made.titles)}")
    return made.titles[name]


def _filtered(board: Board, control: Control, made: Made) -> None:
    """Refuse a control that would leave panels empty: Kibana filters documents away that haven't its field."""
    shown = {panel.title: panel.view for panel in board.panels if isinstance(panel, Chart) and panel.filters}
    shown |= {panel.title: made.searches[panel.search] for panel in board.panels if isinstance(panel, Search)}
    for title, view in {control.title: control.view, **shown}.items():
        made.view(view)
        if control.field not in made.types[view]:
            raise UsageError(
                f"{title} is empty when a value of {control.field} is chosen: documents of {view} haven't this field",
                fix="add it to dashboards/templates.yml, leave the control out, or give the panel `filters: false`",
            )


def _controls(board: Board, made: Made) -> tuple[Json, list[Json]]:
    panels, references = {}, []
    for order, control in enumerate(board.controls):
        name = control.field.replace(".", "-").replace("@", "")
        _filtered(board, control, made)
        chosen = {
            "id": name, "fieldName": control.field, "title": control.named(made.lang), "selectedOptions": [],
            "singleSelect": False, "searchTechnique": "wildcard", "sort": {"by": "_count", "direction": "desc"},
        }  # fmt: skip
        panels[name] = {
            "type": "optionsListControl", "order": order, "width": "medium", "grow": True, "explicitInput": chosen,
        }  # fmt: skip
        view = made.id(f"view-{control.view}")
        references.append({"name": f"controlGroup_{name}:optionsListDataView", "type": "index-pattern", "id": view})
    settings = dict.fromkeys(("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations"), False)
    return {
        "controlStyle": "oneLine", "chainingSystem": "HIERARCHICAL", "showApplySelections": False,
        "ignoreParentSettingsJSON": text(settings), "panelsJSON": text(panels),
    }, references  # fmt: skip
