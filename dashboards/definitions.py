"""What a dashboard is made of, as people write it in `boards/*.yml` and `objects.yml`.

A panel is a mapping whose first key says its kind and its title: `- bar: Findings over time`. Texts are English; `vi`
beside one is the Vietnamese. A value is `count` or an operation and a field (`max event.risk_score`); a group is a
field, over time where it is the time of its view.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

WIDTH: Final = 48  # columns of Kibana's grid
OPERATIONS: Final = ("max", "min", "sum", "average", "unique", "last")
Lang = Literal["en", "vi"]
Is = str | int | float
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class Part(BaseModel):
    """Knows its keys, and doesn't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Titled(Part):
    """Has a title in English, and may have one in Vietnamese."""

    title: str = Field(min_length=1)
    vi: str | None = None

    def named(self, lang: Lang) -> str:
        """Return the title in a language, in English where there is no other."""
        return (self.vi if lang == "vi" else None) or self.title


class Test(Part):
    """What a field must be, or must not be: one of some values, at least a number, or there at all."""

    one_of: tuple[Is, ...] = ()
    none_of: tuple[Is, ...] = ()
    at_least: float | None = None
    there: bool | None = None


def _test(given: object) -> object:
    """Read the short forms: a value, a list of values, `*` for any value."""
    if given == "*":
        return {"there": True}
    if isinstance(given, str | int | float):
        return {"one_of": [given]}
    return {"one_of": given} if isinstance(given, list) else given


Where = dict[str, Annotated[Test, BeforeValidator(_test)]]


class Value(Part):
    """A number per group: how many documents, something of a field, or the share of documents that are so."""

    of: str = Field(default="count", description="`count`, or max, min, sum, average, unique, last and a field")
    label: str | None = None
    vi: str | None = None
    where: Where = {}
    share: Where | None = Field(default=None, description="of the documents counted, which part is so")

    @field_validator("of")
    @classmethod
    def _known(cls, text: str) -> str:
        operation, _, field = text.partition(" ")
        if text != "count" and (operation not in OPERATIONS or not field or " " in field):
            raise ValueError(f"{text!r} is neither `count` nor one of {', '.join(OPERATIONS)} and a field")
        return text

    @model_validator(mode="after")
    def _shares_are_of_counts(self) -> Value:
        if self.share is not None and self.of != "count":
            raise ValueError("a share is one of a count")
        return self

    @property
    def operation(self) -> str:
        return "share" if self.share is not None else self.of.partition(" ")[0]

    @property
    def field(self) -> str | None:
        return self.of.partition(" ")[2] or None

    def named(self, lang: Lang) -> str:
        """Return what it is called in a language."""
        return (self.vi if lang == "vi" else None) or self.label or ("Count" if self.of == "count" else self.of)


class Group(Part):
    """What documents are put together by."""

    by: str
    label: str | None = None
    vi: str | None = None
    size: int = Field(default=10, gt=0, le=1000)
    order: Literal["value", "name"] = "value"
    every: str = Field(default="auto", pattern=r"^(auto|\d+[mhd])$", description="the stretch, where it is a time")

    def named(self, lang: Lang) -> str:
        """Return what it is called in a language."""
        return (self.vi if lang == "vi" else None) or self.label or self.by


def _short(key: str) -> BeforeValidator:
    return BeforeValidator(lambda given: {key: given} if isinstance(given, str) else given)


AValue = Annotated[Value, _short("of")]
AGroup = Annotated[Group, _short("by")]


class Panel(Titled):
    """Something on a dashboard; `size` is columns x rows."""

    size: str = Field(default="", pattern=r"^(\d+x\d+)?$")

    @field_validator("size")
    @classmethod
    def _fits(cls, text: str) -> str:
        if text and not (1 <= int(text.partition("x")[0]) <= WIDTH and int(text.partition("x")[2]) >= 1):
            raise ValueError(f"a panel is 1 to {WIDTH} columns wide and at least one row high")
        return text

    @property
    def extent(self) -> tuple[int, int]:
        """The columns and rows it takes."""
        width, _, height = (self.size or SIZES[self.kind]).partition("x")  # type: ignore[attr-defined]
        return int(width), int(height)


class Markdown(Panel):
    """Help in both languages."""

    kind: Literal["markdown"]
    english: str
    vietnamese: str


class Links(Panel):
    """Ways to other dashboards, which keep time and filters."""

    kind: Literal["links"]
    to: tuple[Name, ...] = Field(min_length=1)


class Search(Panel):
    """A saved search: documents one by one."""

    kind: Literal["search"]
    search: Name


class Chart(Panel):
    """What documents of a view say in numbers; `open` names the dashboard that a click leads to."""

    view: Name = "findings"
    where: Where = {}
    filters: bool = Field(default=True, description="false: it shows all, whatever is chosen above the panels")
    open: Name | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        return ()

    @property
    def numbers(self) -> tuple[Value, ...]:
        return (self.value,)  # type: ignore[attr-defined]


class Metric(Chart):
    """One number."""

    kind: Literal["metric"]
    value: AValue = Value()


class Curve(Chart):
    """Bars, lines or areas over `x`, one or more beside each other."""

    kind: Literal["bar", "line", "area", "ranking"]
    x: AGroup
    split: AGroup | None = None
    values: tuple[AValue, ...] = Field(default=(Value(),), min_length=1)

    @property
    def groups(self) -> tuple[Group, ...]:
        return (self.split, self.x) if self.split else (self.x,)

    @property
    def numbers(self) -> tuple[Value, ...]:
        return self.values


class Donut(Chart):
    """Parts of a whole."""

    kind: Literal["donut"]
    by: AGroup
    value: AValue = Value()

    @property
    def groups(self) -> tuple[Group, ...]:
        return (self.by,)


class Heatmap(Chart):
    """A colour for each pair of groups."""

    kind: Literal["heatmap"]
    x: AGroup
    y: AGroup
    value: AValue = Value()

    @property
    def groups(self) -> tuple[Group, ...]:
        return (self.y, self.x)


class Table(Chart):
    """Rows by groups, with some numbers each; the first number decides the order."""

    kind: Literal["table"]
    rows: tuple[AGroup, ...] = Field(min_length=1)
    values: tuple[AValue, ...] = Field(default=(Value(),), min_length=1)

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.rows

    @property
    def numbers(self) -> tuple[Value, ...]:
        return self.values


SIZES: Final[Mapping[str, str]] = {
    "markdown": "48x7", "links": "48x3", "search": "48x18", "metric": "8x6", "bar": "24x12", "line": "24x12",
    "area": "24x12", "ranking": "24x12", "donut": "16x12", "heatmap": "48x18", "table": "24x14",
}  # fmt: skip


def _kind(given: Any) -> Any:  # noqa: ANN401 - YAML
    """Turn `{metric: Title, …}` into `{kind: metric, title: Title, …}`."""
    if not isinstance(given, dict):
        return given
    kinds = [kind for kind in SIZES if kind in given and not (kind == "search" and "kind" in given)]
    if len(kinds) != 1 or "kind" in given:
        raise ValueError(f"a panel begins with its kind and title; kinds are {', '.join(SIZES)}")
    (kind,) = kinds
    rest = {key: value for key, value in given.items() if key != kind}
    if kind == "search":
        return {"kind": kind, "search": given[kind], "title": rest.pop("title", given[kind]), **rest}
    return {"kind": kind, "title": given[kind], **rest}


AnyPanel = Annotated[
    Annotated[Markdown | Links | Search | Metric | Curve | Donut | Heatmap | Table, Field(discriminator="kind")],
    BeforeValidator(_kind),
]


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
    runtime: dict[str, str] = {}


class Tag(Titled):
    """A tag of dashboards and searches."""

    color: str = Field(pattern=r"^#[0-9A-F]{6}$")
    description: str = ""


class SavedSearch(Titled):
    """Documents one by one, in columns."""

    view: Name = "findings"
    description: str = ""
    columns: tuple[str, ...] = Field(min_length=1)
    where: Where = {}
    tags: tuple[Name, ...] = ()


class Objects(Part):
    """The whole of objects.yml."""

    views: dict[Name, View]
    tags: dict[Name, Tag]
    searches: dict[Name, SavedSearch]
