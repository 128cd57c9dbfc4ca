"""What `soc collect` listens to and reads: the part `collect` of the settings."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from flows.sections import Part

ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d{1,5})")


def _address(text: str) -> str:
    found = ADDRESS.fullmatch(text)
    if found is None or int(found[2]) > 65_535:
        raise ValueError("write an address as 0.0.0.0:5514 or [::]:5514")
    return text


class _Listener(Part):
    listen: Annotated[str, AfterValidator(_address)] = Field(description="address and port: 0.0.0.0:5514, [::]:5514")
    rate: int | None = Field(default=None, ge=0, description="lines a second of one sender (default: collect.rate)")
    certificate: Path | None = Field(default=None, description="TLS: certificate, PEM")
    key: Path | None = Field(default=None, description="TLS: its key, PEM")
    clients: Path | None = Field(default=None, description="TLS: authority of the senders' certificates; set: mutual")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _whole(self) -> _Listener:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        if self.clients is not None and self.certificate is None:
            raise ValueError("clients needs certificate and key")
        return self


class Syslog(_Listener):
    """A port for syslog."""

    transport: Literal["udp", "tcp", "tls"] = Field(default="udp", description="udp, tcp or tls")
    senders: dict[IPv4Network | IPv6Network, str] = Field(
        default={}, description="network → source of the lines from there; the narrowest network decides"
    )
    source: str | None = Field(default=None, description="source of senders in no network of `senders`; none: refused")
    connections: int = Field(default=10_000, gt=0, description="connections at once")
    of_one: int = Field(default=64, gt=0, description="connections of one address at once")

    @model_validator(mode="after")
    def _possible(self) -> Syslog:
        if (self.transport == "tls") != (self.certificate is not None):
            raise ValueError("transport tls, and only that, has certificate and key")
        if self.source is None and not self.senders:
            raise ValueError("name a source, or senders")
        return self


class Http(_Listener):
    """A port for lines by HTTP."""

    networks: list[IPv4Network | IPv6Network] = Field(default=[], description="who may send; empty: everybody")
    sources: list[str] = Field(min_length=1, description="sources that may be sent here: POST /<source>")
    token: SecretStr = Field(default=SecretStr(""), description="set token_file or SOC_COLLECT__HTTP__TOKEN")
    token_file: Path | None = Field(default=None, description="file of tokens, one `name token` a line")
    connections: int = Field(default=512, gt=0, description="connections at once")
    of_one: int = Field(default=64, gt=0, description="connections of one address at once (of a proxy: all it has)")
    body: int = Field(default=8 << 20, gt=0, le=64 << 20, description="bytes of one request, packed and unpacked")


class TailedFiles(Part):
    """Files that grow."""

    path: str = Field(description="names, with wildcards: /var/log/nginx/*.log")
    source: str
    from_end: bool = Field(default=False, description="leave out what is there at the first start")
    links: bool = Field(default=False, description="follow symbolic links")


class WatchedFolder(Part):
    """A folder of finished files."""

    path: Path
    source: str = "windows"
    pattern: str = Field(default="*.evtx", description="names that are read, in folders below as well")


class Collect(Part):
    """What to collect, and where it waits for Kafka."""

    spool: Path = Field(default=Path(".soc/spool"), description="folder where lines wait for Kafka")
    spool_bytes: int = Field(default=4 << 30, ge=1 << 20, description="bytes it may take; then senders have to wait")
    write_every: float = Field(default=0.5, gt=0, le=10, description="seconds that lines may wait in memory")
    report_every: float = Field(default=30.0, gt=0, description="seconds between lines of progress")
    rate: int = Field(default=5_000, ge=0, description="lines a second of one sender; 0: no limit")
    burst: int = Field(default=50_000, ge=0, description="lines one sender may send at once")
    syslog: list[Syslog] = Field(default=[])
    http: Http | None = None
    files: list[TailedFiles] = Field(default=[])
    folders: list[WatchedFolder] = Field(default=[])

    @property
    def sources(self) -> set[str]:
        """Every source that is named."""
        named = {source for each in self.syslog for source in (each.source, *each.senders.values()) if source}
        named |= {each.source for each in self.files} | {each.source for each in self.folders}
        return named | set(self.http.sources if self.http else ())
