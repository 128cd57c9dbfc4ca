"""One `soc.yml`, and the environment over it: `SOC_STORE`, `SOC_KAFKA__SERVERS` and so on override any key.

Secrets come from the environment or from files named in the settings, never from `soc.yml` itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as JsonError

from connectors.nodes import Node, read_yaml
from connectors.refusals import keys_of, refusals
from connectors.written import Clock, known_zone
from detectors.errors import DefinitionError, Place, UsageError
from flows.collecting.settings import Collect

PREFIX: Final = "SOC_"  # of variables of the environment
DEEPER: Final = "__"  # between a part and a key of it
ENVIRONMENT: Final = Place("environment")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kafka(_Part):
    """Where raw logs stream."""

    servers: list[str] = Field(default=[], description="host:port of brokers; empty: no Kafka (embedded mode)")
    group: str = Field(default="soc-detect", description="consumer group")
    sources: list[str] = Field(default=[], description="sources to read (topic soc.raw.<source>); empty: all")
    batch: int = Field(default=50_000, gt=0, description="lines gathered into one batch at most")
    username: str = Field(default="", description="SASL/SCRAM user; empty: no authentication")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_KAFKA__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    ca: Path | None = Field(default=None, description="CA certificate; set: TLS")


class Elastic(_Part):
    """Where findings land."""

    url: str = Field(default="", description="https://host:9200; empty: the embedded store")
    username: str = Field(default="soc-writer", description="user with the writer's role (create_doc)")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_ELASTIC__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    ca: Path | None = Field(default=None, description="CA certificate of the cluster")
    keep_days: int | None = Field(default=None, gt=0, description="days after which an index is deleted; null: never")
    matches: int | None = Field(
        default=None, ge=0, description="matches of one finding and batch that are written at most; 0: none; null: all"
    )


class Kibana(_Part):
    """Where dashboards go (docs/dashboards.md)."""

    url: str = Field(default="", description="https://host:5601, with the base path if there is one")
    space: str = Field(default="default", pattern=r"^[a-z0-9_-]+$", description="space of the dashboards")
    username: str = Field(default="", description="user who may write saved objects and rules in the space")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_KIBANA__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    api_key: SecretStr = Field(default=SecretStr(""), description="set SOC_KIBANA__API_KEY; used in place of a user")
    ca: Path | None = Field(default=None, description="CA certificate of an https address")
    kept: Path = Field(default=Path(".soc/kibana"), description="what was pushed, and what stood there before")
    patience: float = Field(default=120.0, ge=0, description="seconds to wait while Kibana starts or is busy")


class Accepted(_Part):
    """Behaviour that is expected until a day, though it is out of the ordinary."""

    set: str = Field(description="feature set, or set.watch")
    entity: str = Field(description="whose behaviour")
    until: date = Field(description="the last day; afterwards it is told again")
    since: date | None = Field(default=None, description="the first day")
    reason: str = Field(min_length=3, description="why it is expected")
    owner: str = Field(min_length=1, description="who answers for it")


class Anomaly(_Part):
    """Behaviour out of the ordinary."""

    models: Path = Field(default=Path(".soc/models"), description="models, and what was counted of archived events")
    registry: str = Field(default="", description="where models are kept, if not in `models`: s3://BUCKET/PREFIX")
    key: Path = Field(default=Path(".soc/model.key"), description="key that models are signed with; made when missing")
    features: list[Path] = Field(default=[], description="folders of feature sets beside the program's own")
    weekly: float = Field(default=7.0, gt=0, description="findings a week that people can look at, per feature set")
    organisation: int = Field(default=3, gt=0, description="of these, at most so many a week of one organisation")
    holidays: list[date] = Field(default=[], description="days on which nobody works, beside those of the calendar")
    accepted: list[Accepted] = Field(default=[], description="expected behaviour: kept as suppressed, until a day")

    @property
    def location(self) -> Path | str:
        """Where models are kept; what was counted stays in `models`."""
        return self.registry or self.models


class Headings(_Part):
    """A CSV file of the registry whose headings are somebody else's."""

    path: Path
    section: Literal["units", "networks", "systems", "assets", "users"]
    columns: dict[str, str] = Field(min_length=1, description="key → heading in the file; others are left out")


class Enriching(_Part):
    """What events are looked up in (docs/enrichment.md)."""

    registry: list[Path | Headings] = Field(
        default=[], description="files and folders: units, networks, systems, assets, users (YAML, CSV)"
    )
    own_registry: bool = Field(default=True, description="the units of Gia Lai that come with the program")
    workdays: Path | None = Field(default=None, description="folder of calendars, a file per year")
    geoip: list[Path] = Field(default=[], description="MaxMind files (needs the extra `geoip`)")
    address_lists: list[Path] = Field(default=[], description="files of addresses: tor.txt, vpn.txt")


class Privacy(_Part):
    """What becomes of personal data (docs/privacy.md)."""

    protect: bool = Field(default=False, description="make tokens of columns that definitions mark as personal")
    folder: Path = Field(default=Path(".soc/privacy"), description="keys, vault, and records of what was revealed")
    warn: bool = Field(default=True, description="tell of personal data that no definition marks")


class Letter(_Part):
    """Who writes to owners of systems (`soc sources check --letter`); what is empty stands in the letter as `[…]`."""

    organisation: str = Field(default="", description="the authority above the unit")
    unit: str = Field(default="", description="the unit that watches")
    number: str = Field(default="", description="number of the document")
    place: str = Field(default="", description="where it is written")
    basis: str = Field(default="", description="the law it rests on; look whether it is in force")
    contact: str = Field(default="", description="name and office of whom to ask")
    phone: str = Field(default="", description="their phone")
    email: str = Field(default="", description="their address")
    signer: str = Field(default="", description="who signs")
    days: int = Field(default=10, gt=0, description="working days to answer")


class Triage(_Part):
    """What is reckoned of findings, and who reads verdicts back (docs/triage.md)."""

    username: str = Field(default="", description="user that reads findings and alerts; empty: that of `elastic`")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_TRIAGE__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    space: str = Field(default="default", pattern=r"^[a-z0-9_-]+$", description="space of Kibana whose alerts are read")
    days: int = Field(default=100, gt=0, description="full mode: findings that came within so long are copied at first")
    hours: int = Field(default=24, gt=0, description="findings of one entity within so long belong to one incident")
    many: int = Field(default=6, gt=0, description="a name that meets more others links no findings")
    duties: Path | None = Field(default=None, description="file of statutory duties; unset: the program's own")
    reports: Path = Field(default=Path(".soc/reports"), description="where weekly and monthly reports are written")
    stop: list[str] = Field(default=[], description="names that link no findings, beside those that never do")


class Notify(_Part):
    """Who is told of incidents, through Apprise (docs/triage.md)."""

    urls: list[SecretStr] = Field(default=[], description="set SOC_NOTIFY__URLS: addresses of Apprise")
    least: Literal["low", "medium", "high", "critical"] = Field(default="high", description="from which level on")
    quiet_from: Clock = Field(default=time(0), description="from then on only critical incidents are told")
    quiet_to: Clock = Field(default=time(0), description="until then; the same: never quiet")


class SettingsError(UsageError):
    """Every fault of the settings."""

    def __init__(self, faults: Sequence[UsageError]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))

    def lines(self) -> list[str]:
        """Return a line for each fault."""
        return [str(fault) for fault in self.faults]


class Settings(BaseSettings):
    """Every setting of the program."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DEEPER,
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

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
    enrichment: Enriching = Enriching()
    privacy: Privacy = Privacy()
    letter: Letter = Letter()
    kafka: Kafka = Kafka()
    elastic: Elastic = Elastic()
    kibana: Kibana = Kibana()
    anomaly: Anomaly = Anomaly()
    triage: Triage = Triage()
    notify: Notify = Notify()

    collect: Collect = Collect()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override what is given (the file)."""
        return env_settings, init_settings


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
        return Settings(**data)
    except ValidationError as error:
        raise SettingsError([*_refused(error, data, node)]) from None
    except JsonError as error:  # of a variable that has to hold JSON
        name = str(error).partition('"')[2].partition('"')[0]
        message, fix = f"SOC_{name.upper()} holds no JSON", """write a list as ["a", "b"], a map as {"key": "value"}"""
        raise UsageError(message, place=ENVIRONMENT, fix=fix) from None


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
    given = [name for name in os.environ if name.upper().startswith(PREFIX)]
    names = {tuple(name[len(PREFIX) :].lower().split(DEEPER)): name for name in given}
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
