"""ECS columns that follow from others, whatever the source; a definition names those it wants under `derive`.

A column that a source fills itself is kept where it has a value.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.patterns.fit import fit
from detectors.schema import ECS

PROTOCOLS: Final = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ipv6-icmp": 58, "sctp": 132}
PORTLESS: Final = {  # ICMP types as community id takes them: a message and its answer
    1: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17},
    58: {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130},
}
PORTED: Final = frozenset({1, 6, 17, 58, 132})

URL: Final = (
    r"^(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/?#@]*@)?(?P<domain>\[[0-9A-Fa-f:.]+\]|[^/?#:\s]*)"
    r"(?::(?P<port>\d+))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?$"
)
PATH: Final = r"^(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?$"
EXTENSION: Final = r"[^/\\]\.([A-Za-z0-9]{1,10})$"
ARGUMENT: Final = r'(?:"[^"]*"?|[^\s"])+'
DOMAIN: Final = (  # of two labels, or of three where the middle one is a kind under a country
    r"(?i)^(?:(?P<subdomain>\S+?)\.)??(?P<registered_domain>[^.\s]+\."
    r"(?P<top_level_domain>(?:(?:com?|net|org|gov|edu|ac|or|ne|go|gob|int|mil|info|name|biz|health|pro)\.[a-z]{2})|[^.\s\d]+))\.?$"
)
BOTH: Final = ("source", "destination")
PRIVATE: Final = (
    r"(?i)^(?:10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)"
)
SPAN: Final = ("event.start", "event.end")
TIMES: Final = ("@timestamp", "event.duration", *SPAN)
LENGTH: Final = pl.duration(microseconds=pl.col("event.duration") // 1000)
FLOW: Final = ("source.ip", "source.port", "destination.ip", "destination.port")


@dataclass(frozen=True, slots=True)
class Derivation:
    """Makes columns from others that it needs; those it needs may be missing."""

    needs: tuple[str, ...]
    makes: tuple[str, ...]
    make: Callable[[pl.DataFrame], Sequence[pl.Expr | pl.Series]]


def derived(frame: pl.DataFrame, names: Collection[str], wanted: Collection[str] | None) -> pl.DataFrame:
    """Add what the named derivations make, of what is wanted (None: all)."""
    columns = {column.name: column for column in frame.get_columns()}
    for name in names:
        one = DERIVATIONS[name]
        asked = [column for column in one.makes if wanted is None or column in wanted]
        if not asked:
            continue
        have = pl.DataFrame([_given(columns, each, frame.height) for each in one.needs])
        if all(have[each].null_count() == frame.height for each in one.needs if each != "@timestamp"):
            columns |= {each: _nulls(each, frame.height) for each in asked if each not in columns}
            continue  # of nothing follows nothing
        made = have.select(one.make(have))
        for column in asked:
            columns[column] = _kept(columns[column], made[column]) if column in columns else made[column]
    return pl.DataFrame([*columns.values()])


def _given(columns: Mapping[str, pl.Series], name: str, height: int) -> pl.Series:
    """Return a column that is there, and is no list of a source's own."""
    if name in columns and (name in ECS or columns[name].dtype != pl.List):
        return columns[name]
    return _nulls(name, height)


def _nulls(name: str, height: int) -> pl.Series:
    return pl.Series(name, [None], ECS.get(name, pl.String())).new_from_index(0, height)


def needed(names: Collection[str], wanted: Collection[str]) -> frozenset[str]:
    """Return the columns that must be there so that the wanted ones can be derived."""
    found = frozenset(wanted)
    for name in reversed(list(names)):
        if found.intersection(DERIVATIONS[name].makes):
            found |= frozenset(DERIVATIONS[name].needs)
    return found


def _kept(own: pl.Series, made: pl.Series) -> pl.Series:
    return own if not own.has_nulls() else pl.select(pl.coalesce(own, made)).to_series().alias(own.name)


def _address(_: pl.DataFrame) -> list[pl.Expr]:
    return [pl.coalesce(f"{side}.ip", f"{side}.domain").alias(f"{side}.address") for side in BOTH]


def _network(_: pl.DataFrame) -> list[pl.Expr]:
    address = pl.coalesce("source.ip", "destination.ip")
    kind = pl.when(address.str.contains(":", literal=True)).then(pl.lit("ipv6")).otherwise(pl.lit("ipv4"))
    number = pl.col("network.transport").replace_strict(PROTOCOLS, default=None, return_dtype=pl.Int64)
    return [
        pl.when(address.is_not_null()).then(kind).alias("network.type"),
        number.cast(pl.String).alias("network.iana_number"),
        *[_sum(f"source.{unit}", f"destination.{unit}").alias(f"network.{unit}") for unit in ("bytes", "packets")],
    ]


def _direction(_: pl.DataFrame) -> list[pl.Expr]:
    """Take private addresses for those inside."""
    inside = [pl.col(f"{side}.ip").str.contains(PRIVATE) for side in BOTH]
    known = inside[0].is_not_null() & inside[1].is_not_null()
    start = pl.when(inside[0]).then(pl.lit("internal")).otherwise(pl.lit("inbound"))
    told = pl.when(inside[1]).then(start).when(inside[0]).then(pl.lit("outbound")).otherwise(pl.lit("external"))
    return [pl.when(known).then(told).alias("network.direction")]


def _sum(*names: str) -> pl.Expr:
    """Add what is known of a column and another; null where nothing is."""
    return pl.when(pl.any_horizontal(pl.col(names).is_not_null())).then(pl.sum_horizontal(names))


def _url(frame: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    whole = frame.select(pl.coalesce("url.full", "url.original").alias("url")).to_series()
    absolute = whole.str.contains("://", literal=True).fill_null(value=False)
    url = fit(whole.set(~absolute, None), (URL,)).columns
    path = fit(whole.set(absolute, None), (PATH,)).columns
    columns = {
        "scheme": url["scheme"],
        "domain": url["domain"].str.strip_chars("[]"),
        "port": url["port"].cast(pl.Int64, strict=False),
        **{name: _kept(url[name], path[name]) for name in ("path", "query", "fragment")},
    }
    columns["extension"] = _kept(frame["url.path"], columns["path"]).str.extract(EXTENSION)
    return [_filled(column).alias(f"url.{name}") for name, column in columns.items()]


def _filled(column: pl.Series) -> pl.Series:
    return column.set(column == "", None) if column.dtype == pl.String else column


def _file(_: pl.DataFrame) -> list[pl.Expr]:
    path = pl.col("file.path")
    return [
        path.str.extract(r"([^/\\]+)$").alias("file.name"),
        path.str.extract(r"^(.+)[/\\]").alias("file.directory"),
        path.str.extract(EXTENSION).alias("file.extension"),
    ]


def _process(_: pl.DataFrame) -> list[pl.Expr]:
    return [
        pl.col(f"{each}.executable").str.extract(r"([^/\\]+)$").alias(f"{each}.name")
        for each in ("process", "process.parent")
    ]


def _arguments(_: pl.DataFrame) -> list[pl.Expr]:
    """Split command lines as Windows does, at blanks outside quotation marks, which are no part of arguments."""
    made = [
        pl.col(f"{each}.command_line").str.extract_all(ARGUMENT).list.eval(pl.element().str.replace_all('"', ""))
        for each in ("process", "process.parent")
    ]
    own, parent = (pl.when(each.list.len() > 0).then(each) for each in made)
    return [own.alias("process.args"), parent.alias("process.parent.args"), _count(own).alias("process.args_count")]


def _count(lists: pl.Expr) -> pl.Expr:
    return lists.list.len().cast(pl.Int64)


def _dns(frame: pl.DataFrame) -> list[pl.Series]:
    parts = fit(frame["dns.question.name"], (DOMAIN,)).columns
    return [_filled(column).alias(f"dns.question.{column.name}") for column in parts]


def _community(frame: pl.DataFrame) -> list[pl.Series]:
    """Hash each flow once; both directions have one id (github.com/corelight/community-id-spec)."""
    number = pl.coalesce(
        pl.col("network.iana_number").cast(pl.Int64, strict=False),
        pl.col("network.transport").replace_strict(PROTOCOLS, default=None, return_dtype=pl.Int64),
    )
    ports = [  # ICMP has a type and a code instead
        pl.coalesce("source.port", pl.col("icmp_type").cast(pl.Int64, strict=False)),
        pl.coalesce("destination.port", pl.col("icmp_code").cast(pl.Int64, strict=False)),
    ]
    flows = frame.select("source.ip", ports[0], "destination.ip", ports[1], number.alias("protocol")).with_columns(
        flow=pl.struct(pl.all())
    )
    whole = pl.all_horizontal(pl.col("source.ip", "destination.ip", "protocol").is_not_null())
    distinct = flows.filter(whole).unique("flow")
    ids = distinct.select("flow").with_columns(
        pl.Series("id", [community_id(*row) for row in distinct.drop("flow").iter_rows()], dtype=pl.String)
    )
    return [flows.join(ids, on="flow", how="left", maintain_order="left")["id"].alias("network.community_id")]


def community_id(source: str, sport: int | None, destination: str, dport: int | None, protocol: int) -> str | None:
    """Return the community id (version 1, seed 0) of a flow; None where there is none."""
    try:
        ends = [ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed]
    except ValueError:
        return None
    if protocol in PORTED and (sport is None or (dport is None and protocol not in PORTLESS)):
        return None
    ports = [sport or 0, dport or 0]
    if not all(0 <= port < 1 << 16 for port in ports) or not 0 <= protocol < 256:
        return None
    one_way = False
    if protocol in PORTLESS:
        answer = PORTLESS[protocol].get(ports[0])
        one_way, ports[1] = answer is None, ports[1] if answer is None else answer
    if not one_way and (ends[0], ports[0]) > (ends[1], ports[1]):
        ends.reverse()
        ports.reverse()
    tail = struct.pack("!HH", *ports) if protocol in PORTED else b""
    digest = hashlib.sha1(b"\0\0" + ends[0] + ends[1] + struct.pack("!BB", protocol, 0) + tail, usedforsecurity=False)
    return "1:" + base64.b64encode(digest.digest()).decode()


def _span(_: pl.DataFrame) -> list[pl.Expr]:
    """Take the event's time for the end of what lasted."""
    return _lasting(pl.coalesce("event.end", "@timestamp") - LENGTH, pl.coalesce("event.end", "@timestamp"))


def _span_ahead(_: pl.DataFrame) -> list[pl.Expr]:
    """Take the event's time for the start of what lasts."""
    return _lasting(pl.coalesce("event.start", "@timestamp"), pl.coalesce("event.start", "@timestamp") + LENGTH)


def _lasting(start: pl.Expr, end: pl.Expr) -> list[pl.Expr]:
    known = pl.col("event.duration").is_not_null()
    return [pl.when(known).then(start).alias("event.start"), pl.when(known).then(end).alias("event.end")]


def _sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}.{name}" for side in BOTH for name in names)


DERIVATIONS: Final[Mapping[str, Derivation]] = {
    "address": Derivation(_sides("ip", "domain"), _sides("address"), _address),
    "arguments": Derivation(
        ("process.command_line", "process.parent.command_line"),
        ("process.args", "process.parent.args", "process.args_count"),
        _arguments,
    ),
    "community_id": Derivation(
        (*FLOW, "icmp_type", "icmp_code", "network.transport", "network.iana_number"),
        ("network.community_id",),
        _community,
    ),
    "direction": Derivation(_sides("ip"), ("network.direction",), _direction),
    "dns": Derivation(
        ("dns.question.name",),
        tuple(f"dns.question.{name}" for name in ("subdomain", "registered_domain", "top_level_domain")),
        _dns,
    ),
    "file": Derivation(("file.path",), ("file.name", "file.directory", "file.extension"), _file),
    "network": Derivation(
        (*_sides("ip", "bytes", "packets"), "network.transport"),
        ("network.type", "network.iana_number", "network.bytes", "network.packets"),
        _network,
    ),
    "process": Derivation(
        ("process.executable", "process.parent.executable"), ("process.name", "process.parent.name"), _process
    ),
    "span": Derivation(TIMES, SPAN, _span),
    "span_ahead": Derivation(TIMES, SPAN, _span_ahead),
    "url": Derivation(
        ("url.full", "url.original", "url.path"),
        tuple(f"url.{name}" for name in ("scheme", "domain", "port", "path", "query", "fragment", "extension")),
        _url,
    ),
}
