"""The parts of the settings: what each of them may say, and what holds where it says nothing."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.written import Clock, ServerUrl, Url


class Part(BaseModel):
    """A part: a key that it doesn't know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Kafka(Part):
    """Where raw logs stream."""

    servers: list[str] = Field(default=[], description="host:port of brokers; empty: no Kafka (embedded mode)")
    group: str = Field(default="soc-detect", description="consumer group")
    sources: list[str] = Field(default=[], description="sources to read (topic soc.raw.<source>); empty: all")
    batch: int = Field(default=50_000, gt=0, description="lines gathered into one batch at most")
    username: str = Field(default="", description="SASL/SCRAM user; empty: no authentication")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_KAFKA__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    ca: Path | None = Field(default=None, description="CA certificate; set: TLS")


class Elastic(Part):
    """Where findings land."""

    url: ServerUrl = Field(default="", description="https://host:9200; empty: the embedded store")
    username: str = Field(default="soc-writer", description="user with the writer's role (create_doc)")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_ELASTIC__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    ca: Path | None = Field(default=None, description="CA certificate of the cluster")
    keep_days: int | None = Field(default=None, gt=0, description="days after which an index is deleted; null: never")
    matches: int | None = Field(
        default=None, ge=0, description="matches of one finding and batch that are written at most; 0: none; null: all"
    )


class Kibana(Part):
    """Where dashboards go (docs/dashboards.md)."""

    url: Url = Field(default="", description="https://host:5601, with the base path if there is one")
    space: str = Field(default="default", pattern=r"^[a-z0-9_-]+$", description="space of the dashboards")
    username: str = Field(default="", description="user who may write saved objects and rules in the space")
    password: SecretStr = Field(default=SecretStr(""), description="set SOC_KIBANA__PASSWORD or password_file")
    password_file: Path | None = Field(default=None, description="file with the password")
    api_key: SecretStr = Field(default=SecretStr(""), description="set SOC_KIBANA__API_KEY; used in place of a user")
    ca: Path | None = Field(default=None, description="CA certificate of an https address")
    kept: Path = Field(default=Path(".soc/kibana"), description="what was pushed, and what stood there before")
    patience: float = Field(default=120.0, ge=0, description="seconds to wait while Kibana starts or is busy")


class Accepted(Part):
    """Behaviour that is expected until a day, though it is out of the ordinary."""

    set: str = Field(description="feature set, or set.watch")
    entity: str = Field(description="whose behaviour")
    until: date = Field(description="the last day; afterwards it is told again")
    since: date | None = Field(default=None, description="the first day")
    reason: str = Field(min_length=3, description="why it is expected")
    owner: str = Field(min_length=1, description="who answers for it")


class Anomaly(Part):
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


class Headings(Part):
    """A CSV file of the registry whose headings are somebody else's."""

    path: Path
    section: Literal["units", "networks", "systems", "assets", "users"]
    columns: dict[str, str] = Field(min_length=1, description="key → heading in the file; others are left out")


class Enriching(Part):
    """What events are looked up in (docs/enrichment.md)."""

    registry: list[Path | Headings] = Field(
        default=[], description="files and folders: units, networks, systems, assets, users (YAML, CSV)"
    )
    own_registry: bool = Field(default=True, description="the units of Gia Lai that come with the program")
    workdays: Path | None = Field(default=None, description="folder of calendars, a file per year")
    geoip: list[Path] = Field(default=[], description="MaxMind files (needs the extra `geoip`)")
    address_lists: list[Path] = Field(default=[], description="files of addresses: tor.txt, vpn.txt")


class Privacy(Part):
    """What becomes of personal data (docs/privacy.md)."""

    protect: bool = Field(default=False, description="make tokens of columns that definitions mark as personal")
    folder: Path = Field(default=Path(".soc/privacy"), description="keys, vault, and records of what was revealed")
    warn: bool = Field(default=True, description="tell of personal data that no definition marks")


class Letter(Part):
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


class Triage(Part):
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


class Notify(Part):
    """Who is told of incidents, through Apprise (docs/triage.md)."""

    urls: list[SecretStr] = Field(default=[], description="set SOC_NOTIFY__URLS: addresses of Apprise")
    least: Literal["low", "medium", "high", "critical"] = Field(default="high", description="from which level on")
    quiet_from: Clock = Field(default=time(0), description="from then on only critical incidents are told")
    quiet_to: Clock = Field(default=time(0), description="until then; the same: never quiet")
