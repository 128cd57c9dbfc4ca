"""All of Kibana's saved objects from the definitions of this folder: the same bytes from the same definitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from dashboards import api, templates
from dashboards.board import Made, dashboard, text
from dashboards.definitions import Board, Objects, SavedSearch, Tag, View
from dashboards.kql import kql
from dashboards.terms import Lang
from detectors.errors import Place, UsageError

FOLDER: Final = Path(__file__).parent
ORDER: Final = ("shift", "finding", "entity", "organisation", "attack", "anomalies", "sources", "rules", "pipeline")

# The oldest version whose shape is written here: every Kibana 9 moves it up, and refuses one that it doesn't know.
VERSIONS: Final = {"dashboard": "10.2.0", "search": "10.5.0", "index-pattern": "8.0.0", "tag": "8.0.0"}

Json = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)


def build(folder: Path = FOLDER, *, space: str = "default", lang: Lang = "en") -> list[Json]:
    """Return all saved objects for a space, in a language.

    Raises:
        UsageError: a definition is wrong; it says which file, which panel and what to do.
    """
    objects, boards, made = _made(folder, space, lang)
    found = [_object("index-pattern", made.id(f"view-{name}"), _view(view, lang)) for name, view in made.views.items()]
    found += [_object("tag", made.id(f"tag-{name}"), _tag(tag, lang)) for name, tag in objects.tags.items()]
    for name, search in objects.searches.items():
        with_tags = [_view_reference(search, made), *_tags(search.tags, objects, made)]
        found.append(_object("search", made.id(f"search-{name}"), _search(search, made), with_tags))
    for name, board in boards.items():
        found.append(_compiled(folder / "boards" / f"{name}.yml", name, board, objects, made))
    return found


def bodies(folder: Path = FOLDER, *, space: str = "default", lang: Lang = "en") -> dict[str, Json]:
    """Return what to send to Kibana's dashboards API, by the names of boards; views and searches come by `build`."""
    _, boards, made = _made(folder, space, lang)
    return {name: api.body(board, made) for name, board in boards.items()}


def _made(folder: Path, space: str, lang: Lang) -> tuple[Objects, dict[str, Board], Made]:
    """Read all definitions."""
    objects = read(folder / "objects.yml", Objects)
    boards = {path.stem: read(path, Board) for path in sorted(folder.glob("boards/*.yml"))}
    suffix = "" if space == "default" else f"-{space}"  # an id is one object's, whatever its space
    made = Made(
        {name: _of_space(view, space) for name, view in objects.views.items()},
        types(objects),
        {name: board.named(lang) for name, board in sorted(boards.items(), key=_rank)},
        {name: search.view for name, search in objects.searches.items()},
        lambda name: f"soc-{name}{suffix}",
        lang,
    )
    return objects, boards, made


def ndjson(objects: list[Json]) -> bytes:
    """Return objects as Kibana imports them, a line each."""
    return "".join(f"{text(each)}\n" for each in objects).encode()


def promotion(path: Path = FOLDER / "promotion.yml") -> Json:
    """Return the detection rule that makes alerts of findings, as Kibana imports it."""
    rule: Json = yaml.safe_load(path.read_text("utf-8"))
    return rule


def types(objects: Objects) -> dict[str, dict[str, str]]:
    """Return of each view which fields it has, and of which type."""
    bodies = templates.fields(templates.read())
    return {
        name: {**(bodies[view.template] if view.template else {}), **view.fields, **view.runtime}
        for name, view in objects.views.items()
    }


def _rank(item: tuple[str, Board]) -> tuple[int, str]:
    return (ORDER.index(item[0]) if item[0] in ORDER else len(ORDER)), item[0]


def _of_space(view: View, space: str) -> View:
    return view.model_copy(update={"pattern": view.pattern.replace("{space}", space)})


def _compiled(path: Path, name: str, board: Board, objects: Objects, made: Made) -> Json:
    try:
        described, references = dashboard(board, made)
        return _object("dashboard", made.id(name), described, [*references, *_tags(board.tags, objects, made)])
    except UsageError as fault:
        raise UsageError(fault.message, place=Place(str(path)), fix=fault.fix) from fault


def _object(kind: str, name: str, attributes: Json, references: list[Json] | None = None) -> Json:
    return {
        "type": kind, "id": name, "attributes": attributes, "references": references or [], "managed": False,
        "coreMigrationVersion": "8.8.0", "typeMigrationVersion": VERSIONS[kind],
    }  # fmt: skip


def _view(view: View, lang: Lang) -> Json:
    """Return a data view; it may stand before any index does."""
    empty = dict.fromkeys(("fieldAttrs", "fieldFormatMap"), "{}")
    lists = dict.fromkeys(("fields", "sourceFilters"), "[]")
    named = {"title": view.pattern, "name": view.named(lang), "timeFieldName": view.time, "allowNoIndex": True}
    runtime = {name: {"type": kind} for name, kind in view.runtime.items()}
    return {**named, **empty, **lists, "runtimeFieldMap": text(runtime)}


def _tag(tag: Tag, lang: Lang) -> Json:
    return {"name": tag.named(lang), "description": tag.description, "color": tag.color}


def _search(search: SavedSearch, made: Made) -> Json:
    known = made.types[search.view]
    if lost := [name for name in search.columns if name not in known and name != "_source"]:
        raise UsageError(
            f"no index has the field {', '.join(lost)}", place=Place("objects.yml"), fix="see templates.yml"
        )
    source = {
        "query": {"language": "kuery", "query": kql(search.where)}, "filter": [],
        "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index",
    }  # fmt: skip
    return {
        "title": search.named(made.lang), "description": search.description, "columns": list(search.columns),
        "sort": [[made.view(search.view).time, "desc"]], "grid": {}, "hideChart": False, "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(source)},
    }  # fmt: skip


def _view_reference(search: SavedSearch, made: Made) -> Json:
    name = "kibanaSavedObjectMeta.searchSourceJSON.index"
    made.view(search.view)
    return {"name": name, "type": "index-pattern", "id": made.id(f"view-{search.view}")}


def _tags(tags: tuple[str, ...], objects: Objects, made: Made) -> Iterator[Json]:
    for name in tags:
        if name not in objects.tags:
            raise UsageError(f"there is no tag {name}", fix=f"choose one of {', '.join(objects.tags)}")
        tag = made.id(f"tag-{name}")
        yield {"name": f"tag-ref-{tag}", "type": "tag", "id": tag}


def read(path: Path, model: type[Model]) -> Model:
    """Read one definition; all faults are told at once."""
    try:
        return model.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as fault:
        raise UsageError(f"can't be read: {fault.strerror}", place=Place(str(path))) from fault
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
        raise UsageError(f"not valid YAML: {fault.problem}", place=place) from fault
    except ValidationError as fault:
        told = "; ".join(
            f"{_where(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in fault.errors()
        )
        raise UsageError(told, place=Place(str(path)), fix="docs/dashboards.md tells what a panel may have") from fault


def _where(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path) or "the file"
