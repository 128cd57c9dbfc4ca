"""The kinds of panels: a mapping whose first key says kind and title, `- bar: Findings over time`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, field_validator

from dashboards.terms import AGroup, AValue, Group, Name, Titled, Value, Where

WIDTH: Final = 48  # columns of Kibana's grid


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
    where: Where = Field(default={})
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
