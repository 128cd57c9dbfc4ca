"""What panels ask by: values, groups, what fields must be. Texts are English; `vi` beside one is the Vietnamese.

A value is `count` or an operation and a field (`max event.risk_score`); a group is a field, over time where it is the
time of its view.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

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
