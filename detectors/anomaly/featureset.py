"""Feature sets: what is measured of whom, over which windows; declared in YAML, a file per kind of behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from detectors.anomaly.parts import Part, Value, Words
from detectors.anomaly.watch import Watch
from detectors.errors import DefinitionError, Place
from detectors.identity import digest

BUILT_IN = "features"  # the folder beside this module

ANY = "*"  # every source there is
Report = Callable[[DefinitionError], object]


class Feature(Part):
    """One number per entity and window; exactly one of the ways to get it is given."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    words: Words
    count: dict[str, Value] | None = Field(default=None, description="events that have these values; {}: all")
    sum: str | None = Field(default=None, description="the sum of a column")
    distinct: str | None = Field(default=None, description="distinct values of a column")
    fresh: str | None = Field(default=None, description="values of a column that the entity never had before")
    rarity: str | None = Field(default=None, description="bits by which the rarest value is rare among all entities")
    entropy: str | None = Field(default=None, description="entropy of a column's values, in bits")
    novelty: str | None = Field(default=None, description="pairs of successive values never seen of the entity before")
    ratio: tuple[str, str] | None = Field(default=None, description="one feature by another")
    off_hours: Literal[True] | None = Field(default=None, description="events outside working hours")
    odd_hours: Literal[True] | None = Field(
        default=None, description="bits by which the hours are rare for this entity"
    )
    side: Literal["high", "both"] = Field(default="high", description="which deviations count")
    least: float = Field(default=0.0, ge=0, description="a spread below this is taken for this much")

    @model_validator(mode="after")
    def _one_way(self) -> Feature:
        ways = [name for name in WAYS if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError(f"give exactly one of {', '.join(WAYS)}, not {', '.join(ways) or 'none'}")
        return self

    @property
    def column(self) -> str | None:
        """The event column that it looks at value by value."""
        return self.distinct or self.fresh or self.rarity or self.entropy or self.novelty


WAYS = ("count", "sum", "distinct", "fresh", "rarity", "entropy", "novelty", "ratio", "off_hours", "odd_hours")


class FeatureSet(Part):
    """All features of one kind of entity in one kind of log."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    words: Words
    sources: list[str] = Field(min_length=1, description="source definitions whose events are looked at")
    entity: str = Field(description="the column that names the entity")
    window: Literal["hour", "day"]
    cohort: str | None = Field(default=None, description="a column: entities are compared with those that share it")
    ignore: list[str] = Field(default=[], description="entities that are none: empty names, machine accounts")
    machines: bool = Field(default=True, description="whether entities whose name ends in $ count")
    where: dict[str, Value] = Field(default={}, description="only events that have these values")
    level: Literal["low", "medium", "high"] = "medium"
    tags: list[str] = Field(default=[])
    check: Words = Field(description="what an analyst checks next")
    features: list[Feature] = Field(default=[], description="what a model looks at; none: there is no model")
    watches: list[Watch] = Field(default=[], description="what is looked for exactly")

    @model_validator(mode="after")
    def _named_once(self) -> FeatureSet:
        names = [feature.name for feature in self.features]
        names += [watch.name for watch in self.watches]
        if not names:
            raise ValueError("give features, or watches")
        if double := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"features or watches named twice: {', '.join(double)}")
        for feature in self.features:
            if feature.ratio and (missing := sorted(set(feature.ratio) - set(names))):
                raise ValueError(f"{feature.name} is a ratio of {', '.join(missing)}, which is no feature here")
        return self

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @property
    def columns(self) -> frozenset[str]:
        """The event columns that it needs."""
        found = {self.entity, *self.where, *([self.cohort] if self.cohort else [])}
        for feature in self.features:
            found.update(feature.count or {}, filter(None, (feature.sum, feature.column)))
        return frozenset(found).union(*(watch.needs for watch in self.watches))

    def of(self, known: Iterable[str]) -> list[str]:
        """Return those of the known sources that it looks at."""
        return sorted(known if ANY in self.sources else set(self.sources).intersection(known))

    @property
    def semantics(self) -> str:
        """Name what is measured: a model of another name can't score these features."""
        return digest((self.model_dump_json(exclude={"words", "check", "tags", "level", "watches"}),))

    @property
    def counting(self) -> str:
        """Name what is counted of events: what was kept under another name is counted again."""
        watches = [watch.model_dump_json(include={"name", "kind", "columns", "where"}) for watch in self.watches]
        return digest((self.semantics, *watches))


def read(text: str, file: str) -> FeatureSet:
    """Read one declaration.

    Raises:
        DefinitionError: it is not valid.
    """
    try:
        return FeatureSet.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise DefinitionError(f"not valid YAML: {error.problem}", place=place, fix="correct this line") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "the feature set"
        message = f"{name}: {first['msg'].removeprefix('Value error, ')}"
        raise DefinitionError(message, place=Place(file), fix="see docs/anomaly.md") from error


def load(folders: Iterable[Path] = (), report: Report | None = None) -> dict[str, FeatureSet]:
    """Load the program's own declarations and those of more folders; a later one of the same name wins.

    A faulty declaration costs itself: `report` hears of it.

    Raises:
        DefinitionError: a declaration is not valid, and nobody hears of it.
    """
    found = dict(_own())
    for path in (path for folder in folders for path in _declarations(folder)):
        try:
            one = _read(path)
        except DefinitionError as error:
            if report is None:
                raise
            report(error)
        else:
            found[one.name] = one
    return found


def _declarations(folder: Path) -> list[Path]:
    """Return the files of a folder; one that isn't there is a path that can't be read."""
    return sorted(folder.glob("*.yml")) if folder.is_dir() else [folder]


def _read(path: Path) -> FeatureSet:
    try:
        return read(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        message = f"this can't be read: {getattr(error, 'strerror', None) or error}"
        raise DefinitionError(message, place=Place(str(path)), fix="correct it, or anomaly.features") from error


@cache
def _own() -> dict[str, FeatureSet]:
    folder = files(__package__).joinpath(BUILT_IN)
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".yml")), key=lambda path: path.name)
    return {one.name: one for one in (read(path.read_text("utf-8"), path.name) for path in paths)}
