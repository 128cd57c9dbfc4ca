"""Watches: simple exact detectors beside the models, declared in the YAML of a feature set."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from detectors.anomaly.parts import Part, Value, Words

Kind = Literal["first_seen", "pair", "volume", "silence", "beacon", "travel"]

COLUMNS: Final = {"first_seen": 1, "pair": 2, "volume": 0, "silence": 0, "beacon": 1, "travel": 1}
EVERY: Final = {"first_seen": "1d", "pair": "1d", "volume": "1h", "silence": "1h", "beacon": "1m", "travel": "10m"}


class Watch(Part):
    """One thing that is looked for in the events of a set, exactly."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    words: Words = Field(description="what it is, as the title of a finding")
    columns: list[str] = Field(default=[], description="what it looks at, beside the entity")
    where: dict[str, Value] = Field(default={}, description="only events that have these values")
    scope: Literal["entity", "everyone"] = Field(default="entity", description="of whom a value is the first")
    warm: int = Field(default=14, ge=0, description="days in which a newcomer is only learnt")
    least: float = Field(default=50, gt=0, description="volume: events an hour; beacon: contacts a day")
    minutes: float = Field(default=60, gt=0, description="travel: between two places, at least")
    few: int = Field(default=3, gt=0, description="beacon: entities that may know a destination")
    weekly: float = Field(default=1.0, gt=0, description="findings a week in the weeks before, at most")
    level: Literal["low", "medium", "high"] = "medium"
    tags: list[str] = Field(default=[])
    check: Words | None = Field(default=None, description="what an analyst checks next; else that of the set")

    @model_validator(mode="after")
    def _columns_of_kind(self) -> Watch:
        if len(self.columns) != COLUMNS[self.kind]:
            raise ValueError(f"a watch of kind {self.kind} has {COLUMNS[self.kind]} columns, not {len(self.columns)}")
        return self

    @property
    def needs(self) -> frozenset[str]:
        """The event columns that it needs."""
        return frozenset({*self.columns, *self.where})

    @property
    def every(self) -> str:
        """How finely time is cut."""
        return EVERY[self.kind]
