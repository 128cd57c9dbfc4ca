"""What a dashboard is made of, as people write it in `boards/*.yml` and `objects.yml`."""

from __future__ import annotations

from pydantic import Field

from dashboards.panels import AnyPanel
from dashboards.terms import Name, Part, Titled, Where


class Control(Titled):
    """A list of a field's values above the panels, to choose from."""

    field: str
    view: Name = "findings"


class Board(Titled):
    """A dashboard."""

    description: str = ""
    hours: int = Field(default=24, gt=0, description="how far it looks back at first")
    refresh: int = Field(default=0, ge=0, description="seconds after which it is drawn anew; 0: never")
    tags: tuple[Name, ...] = ()
    where: Where = Field(default={}, description="holds for every chart of its first view")
    controls: tuple[Control, ...] = ()
    panels: tuple[AnyPanel, ...] = Field(min_length=1)


class View(Titled):
    """A data view: which indices, and which of their times counts. `template` knows the fields, else `fields`.

    `runtime` has fields that documents hold but their index doesn't map: Elasticsearch reads them when asked.
    """

    pattern: str
    time: str = "@timestamp"
    template: str | None = None
    fields: dict[str, str] = Field(default={}, description="field → type, where no template of ours has them")
    runtime: dict[str, str] = Field(default={})


class Tag(Titled):
    """A tag of dashboards and searches."""

    color: str = Field(pattern=r"^#[0-9A-F]{6}$")
    description: str = ""


class SavedSearch(Titled):
    """Documents one by one, in columns."""

    view: Name = "findings"
    description: str = ""
    columns: tuple[str, ...] = Field(min_length=1)
    where: Where = Field(default={})
    tags: tuple[Name, ...] = ()


class Objects(Part):
    """The whole of objects.yml."""

    views: dict[Name, View]
    tags: dict[Name, Tag]
    searches: dict[Name, SavedSearch]
