"""Events get what is known of them, as far as somebody asks."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from connectors import registry, workdays
from connectors.definitions import load_definitions
from connectors.enrichment import Enrichment, lists, makes
from connectors.enrichment.geo import Geo
from connectors.enrichment.organisations import Organisations
from connectors.lines import records
from connectors.parser import DefinedParser
from detectors.contracts import Batch

DEFINITIONS = load_definitions()
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
LINE = '10.52.9.7 - lannt [24/Nov/2026:08:15:00 +0700] "GET /a HTTP/1.1" 200 5 "-" "{}"'


@pytest.fixture(scope="module")
def enrichment(tmp_path_factory: pytest.TempPathFactory) -> Enrichment:
    folder: Path = tmp_path_factory.mktemp("enrichment")
    (folder / "own.yml").write_text("networks: [{network: 10.52.9.0/24, unit: H21.09}]\n")
    (folder / "tor.txt").write_text("# exits\n192.0.2.0/28\n198.51.100.7\n")
    (folder / "vpn.txt").write_text("198.51.100.0/24\n")
    named = lists.read([folder / "tor.txt", folder / "vpn.txt"])
    return Enrichment(Organisations(registry.read([folder])), workdays.read(), lists=named)


def parsed(enrichment: Enrichment, line: str, wanted: frozenset[str] | None, source: str = "nginx") -> pl.DataFrame:
    parser = DefinedParser(DEFINITIONS[source], enrichment=enrichment)
    return parser.parse(Batch(source, "file:x", "x", records([line], [0])), wanted).events


def test_only_what_is_wanted_is_made(enrichment: Enrichment) -> None:
    events = parsed(enrichment, LINE.format(AGENT), frozenset({"organization.id", "soc.calendar.day", "cs-method"}))
    assert set(events.columns) == {
        "@timestamp", "event.original", "log.offset", "soc.index", "organization.id", "soc.calendar.day", "cs-method",
    }  # fmt: skip
    assert events["organization.id"].to_list() == ["H21.09"]
    assert events["soc.calendar.day"].to_list() == ["holiday"]


def test_nothing_changes_where_nothing_is_wanted(enrichment: Enrichment) -> None:
    wanted = frozenset({"cs-method", "source.ip"})
    plain = DefinedParser(DEFINITIONS["nginx"])
    batch = Batch("nginx", "file:x", "x", records([LINE.format("x")], [0]))
    assert parsed(enrichment, LINE.format("x"), wanted).equals(plain.parse(batch, wanted).events)


def test_everything_is_told_of_a_finding(enrichment: Enrichment) -> None:
    row = parsed(enrichment, LINE.format(AGENT), None).row(0, named=True)
    assert row["organization.name"] == "Sở Khoa học và Công nghệ"
    assert (row["soc.source.kind"], row["soc.source.unit"]) == ("private", "H21.09")
    assert (row["user_agent.name"], row["user_agent.version"]) == ("Chrome", "131.0.0.0")
    assert (row["user_agent.os.name"], row["soc.user_agent.kind"]) == ("Windows", "browser")
    assert row["soc.asset.criticality"] == "medium"  # that of the source


@pytest.mark.parametrize(
    ("agent", "name", "kind"),
    [
        ("sqlmap/1.8.2#stable (https://sqlmap.org)", "sqlmap", "tool"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "bot"),
        ("python-requests/2.31.0", "python-requests", "library"),
        (f"{AGENT} coc_coc_browser/130.0", "Coc Coc", "browser"),
        ("something else", None, "unknown"),
    ],
)
def test_user_agents(enrichment: Enrichment, agent: str, name: str | None, kind: str) -> None:
    events = parsed(enrichment, LINE.format(agent), frozenset({"user_agent.name", "soc.user_agent.kind"}))
    assert events["soc.user_agent.kind"].to_list() == [kind]
    assert (events["user_agent.name"].to_list() if name else [None]) == [name]


def test_addresses_are_on_several_lists(enrichment: Enrichment) -> None:
    line = LINE.format("x").replace("10.52.9.7", "198.51.100.7")
    assert parsed(enrichment, line, frozenset({"soc.source.lists"}))["soc.source.lists"].to_list() == [["tor", "vpn"]]


def test_the_registry_counts_more_than_the_log(enrichment: Enrichment) -> None:
    line = '{"time": "2026-11-25T08:00:00+07:00", "user": "a", "action": "b", "unit": "UBND Xã Chơ Long"}'
    row = parsed(enrichment, line, None, "hotline_1022").row(0, named=True)
    assert (row["organization.id"], row["organization.name"]) == ("H21.113", "UBND xã Chơ Long")
    assert row["soc.organization.said"] == "UBND Xã Chơ Long"
    odd = parsed(enrichment, line.replace("Chơ Long", "Nào Đó"), None, "hotline_1022").row(0, named=True)
    assert odd["organization.name"] == "UBND Xã Nào Đó"


def test_the_system_of_a_source_tells_of_machines_that_nobody_registered(tmp_path: Path) -> None:
    """An access log names no machine; in February another system wrote it."""
    (tmp_path / "own.yml").write_text(
        "systems:\n"
        "  - {id: old, unit: H21.11, criticality: low, sources: [nginx], to: 2026-10-31}\n"
        "  - {id: portal, unit: H21.09, criticality: critical, sources: [nginx], from: 2026-11-01}\n"
        "assets:\n  - {host: web1, criticality: high, system: old}\n"
    )
    known = Enrichment(Organisations(registry.read([tmp_path])), workdays.read())
    line = LINE.format(AGENT).replace("10.52.9.7", "203.0.113.7")
    columns = ["organization.id", "soc.asset.system", "soc.asset.criticality"]
    now, before = (parsed(known, text, None).row(0, named=True) for text in (line, line.replace("Nov", "Feb")))
    assert [now[name] for name in columns] == ["H21.09", "portal", "critical"]
    assert [before[name] for name in columns] == ["H21.11", "old", "low"]
    of_host = parsed(known, f"Mar  2 08:15:00 web1 sshd[7]: {'x'}", None, "auth").row(0, named=True)
    assert of_host["soc.asset.criticality"] == "high"


def test_a_unit_may_be_called_by_its_kind_and_name(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("code;kind;name\nH21.113;xã;Chơ Long\nH21;tỉnh;Gia Lai\n", "utf-8")
    known = Enrichment(Organisations(registry.read([tmp_path], built_in=False)), workdays.read())
    line = '{"time": "2026-11-25T08:00:00+07:00", "user": "a", "action": "b", "unit": "UBND Xã Chơ Long"}'
    assert parsed(known, line, None, "hotline_1022")["organization.id"].to_list() == ["H21.113"]


def test_a_line_that_is_no_address_is_told(tmp_path: Path) -> None:
    (tmp_path / "tor.txt").write_text("192.0.2.1\nnonsense\n")
    named = lists.read([tmp_path])
    assert "tor.txt:2:1: 'nonsense' is no address; write an address" in str(named.faults[0])


def test_a_rule_may_ask_for_what_can_be_looked_up() -> None:
    assert {"soc.source.kind", "organization.id", "soc.calendar.off"} <= makes({"source.ip"})
    assert "user_agent.name" not in makes({"source.ip"})


def test_geoip_without_its_reader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    (fault,) = Geo([tmp_path / "none.mmdb"]).faults
    assert "none.mmdb: " in str(fault)
    assert "need the package maxminddb" in str(fault)
    assert "install the extra `geoip`" in str(fault)
