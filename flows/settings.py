"""One `soc.yml`, and the environment over it: `SOC_STORE`, `SOC_KAFKA__SERVERS` and so on override any key.

Secrets come from the environment or from files named in the settings, never from `soc.yml` itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from connectors.nodes import Node, read_yaml
from connectors.refusals import keys_of, refusals
from connectors.written import known_zone
from detectors.errors import DefinitionError, Place, UsageError
from flows.collecting.settings import Collect
from flows.sections import Anomaly, Elastic, Enriching, Kafka, Kibana, Letter, Notify, Part, Privacy, Triage

PREFIX: Final = "SOC_"  # of variables of the environment
DEEPER: Final = "__"  # between a part and a key of it
ENVIRONMENT: Final = Place("environment")


class SettingsError(UsageError):
    """Every fault of the settings."""

    def __init__(self, faults: Sequence[UsageError]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))

    def lines(self) -> list[str]:
        """Return a line for each fault."""
        return [str(fault) for fault in self.faults]


class Settings(Part):
    """Every setting of the program."""

    rules: list[Path] = Field(default=[], description="folders of Sigma rules beside the program's own")
    own_rules: bool = Field(default=True, description="run the rules that come with the program")
    sources: list[Path] = Field(default=[], description="folders of source definitions beside the program's own")
    lists: Path | list[Path] = Field(
        default=[], description="files and folders of value lists, which fill placeholders of rules and exceptions"
    )
    maintenance: Path | None = Field(default=None, description="YAML file of maintenance windows")
    inputs: list[Path] = Field(default=[], description="embedded mode: log files and folders that `soc run` reads")
    store: Path = Field(
        default=Path(".soc/store.sqlite"), description="embedded store: findings, matches, dead letters"
    )
    archive: Path = Field(default=Path(".soc/archive"), description="Parquet archive of every raw record")
    clean: bool = Field(
        default=False, description="`soc deploy` deletes daily what the archive has kept beyond its source's retention"
    )
    cache: Path = Field(default=Path(".soc/cache"), description="compiled rules")
    late: int = Field(
        default=300,
        ge=0,
        description="seconds by which events may come late where a correlation waits for time to pass",
    )
    idle: int | None = Field(
        default=3600,
        ge=0,
        description="seconds after which a source that brings nothing new no longer holds up what waits; null: never",
    )
    zone: str = Field(default="Asia/Ho_Chi_Minh", description="time zone of reports and tables")
    language: Literal["vi", "en"] = Field(default="en", description="language of reports")
    enrichment: Enriching = Field(default_factory=Enriching)
    privacy: Privacy = Field(default_factory=Privacy)
    letter: Letter = Field(default_factory=Letter)
    kafka: Kafka = Field(default_factory=Kafka)
    elastic: Elastic = Field(default_factory=Elastic)
    kibana: Kibana = Field(default_factory=Kibana)
    anomaly: Anomaly = Field(default_factory=Anomaly)
    triage: Triage = Field(default_factory=Triage)
    notify: Notify = Field(default_factory=Notify)

    collect: Collect = Field(default_factory=Collect)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)


def load(path: Path | None) -> Settings:
    """Read the settings: the file given, else ./soc.yml if there is one, else the defaults.

    Raises:
        UsageError: the file is missing, is not YAML, or names a key or value that isn't known.
    """
    chosen = path or (Path("soc.yml") if Path("soc.yml").is_file() else None)
    if path is not None and not path.is_file():
        raise UsageError(f"no settings file at {path}", fix="see soc.example.yml")

    node = _node(chosen) if chosen else None
    data: dict[str, Any] = node.value if node else {}
    try:
        return _kind()(**data)
    except ValidationError as error:
        raise SettingsError([*_refused(error, data, node)]) from None


def _kind() -> type[Settings]:
    """Return what reads the environment as well, where that says something: its library takes long to import."""
    if not _variables():
        return Settings
    from flows.environment import Overridden  # noqa: PLC0415

    return Overridden


def _variables() -> list[str]:
    return [name for name in os.environ if name.upper().startswith(PREFIX)]


def _node(path: Path) -> Node | None:
    """Return what a file says; None where it says nothing.

    Raises:
        UsageError: it can't be read, or is no map of texts to values.
    """
    try:
        if not any(line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()):
            return None
        node = read_yaml(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't be read: {error}", place=Place(str(path)), fix="save it as UTF-8") from None
    except DefinitionError as error:
        fix = "see soc.example.yml" if error.message == "not a mapping" else error.fix
        raise UsageError(error.message, place=error.place, fix=fix) from None
    if strange := next((key for key in node.value if not isinstance(key, str)), None):
        fix = f"known keys: {', '.join(Settings.model_fields)}"
        raise UsageError(f"unknown key `{strange}`", place=node.place([strange]), fix=fix)
    return node


def _refused(error: ValidationError, data: Mapping[str, Any], node: Node | None) -> Iterator[UsageError]:
    """Yield the faults of a file and of the environment, each where it stands."""
    names = {tuple(name[len(PREFIX) :].lower().split(DEEPER)): name for name in _variables()}
    whole = dict(data)
    for path, name in names.items():
        _put(whole, path, os.environ[name])
    for fault in refusals(error, whole, partial(keys_of, Settings)):
        steps = tuple(map(str, fault.path))
        name = next((name for path, name in names.items() if path == steps[: len(path)]), "")
        place = ENVIRONMENT if name or node is None else node.place(fault.path)
        yield UsageError(f"{name}: {fault.message}" if name else fault.named, place=place, fix=fault.fix)


def _put(data: dict[str, Any], path: Sequence[str], value: str) -> None:
    """Put a value of the environment where the file would have it; what is there stays as it is."""
    for step in path[:-1]:
        below = data.get(step)
        data[step] = data = dict(below) if isinstance(below, dict) else {}
    data[path[-1]] = value


def password(part: Kafka | Elastic | Kibana | Triage) -> str:
    """Return the secret of a server's settings, from its file if one is named."""
    if part.password_file is None:
        return part.password.get_secret_value()
    try:
        return part.password_file.read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"the password file can't be read: {error.strerror}", place=Place(str(part.password_file))
        ) from error
