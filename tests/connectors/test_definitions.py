"""Source definitions: the built-in ones hold together, and a wrong one says where and what to write instead."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from connectors.definition import CLOSED, Definition
from connectors.definitions import BUILT_IN, load_definition, load_definitions
from connectors.faults import DefinitionsError
from connectors.formats.frames import ERROR
from connectors.parser import ZONE
from detectors.contracts import Dialect, LogSource
from detectors.schema import ECS, EVENT

SAMPLES = Path(__file__).parents[1] / "samples"
OPEN = frozenset(
    {"auditd", "cef", "cisco", "delimited", "event_xml", "keyvalue", "leef", "zeek_tsv"}
)  # lines tell their columns
DEFINITIONS = load_definitions()
GOOD = "name: shop\ntitle: Shop\nformat: ndjson\ntimestamp: time\nfields:\n  user.name: user\n"


def faults(folder: Path, *documents: str) -> list[str]:
    for number, document in enumerate(documents):
        (folder / f"{number}.yml").write_text(document, encoding="utf-8")
    with pytest.raises(DefinitionsError) as caught:
        load_definitions([folder])
    return [str(fault).removeprefix(str(folder) + "/") for fault in caught.value.faults]


def test_the_built_in_definitions_load() -> None:
    definitions = load_definitions()
    assert {
        "windows",
        "auth",
        "syslog",
        "auditd",
        "apache",
        "nginx",
        "portal",
        "cloudtrail",
        "json",
        "hotline_1022",
    } <= set(definitions)
    assert definitions["auth"].dialect.logsource == LogSource(product="linux", service="auth")


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yml")), ids=lambda path: path.stem)
def test_a_built_in_definition_has_patterns_that_run(path: Path) -> None:
    assert load_definition(path) == DEFINITIONS[path.stem]


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yml")), ids=lambda path: path.stem)
def test_a_built_in_definition_names_columns_that_its_format_has(path: Path) -> None:
    definition = DEFINITIONS[path.stem]
    if definition.reader.structured:
        return  # JSON holds any column
    empty = definition.reader.parse(pl.Series([], dtype=pl.String), None).columns
    mapped = {name for ways in definition.fields.values() for way in ways for name in way.columns}
    mapped -= {ZONE, *(name for step in definition.steps for name in step.columns)}
    mapped = {name for name in mapped if not name.startswith("structured_data.")}  # as lines name them
    if definition.format not in OPEN:
        assert mapped <= set(empty)


def test_a_definition_becomes_a_dialect(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(GOOD + "aliases: {c-ip: [ip, client]}\nlogsource: {category: application}\n")
    dialect = load_definitions([tmp_path])["shop"].dialect
    assert dialect == Dialect("shop", LogSource("application"), {"c-ip": ("ip", "client")}, structured=True)


@pytest.mark.parametrize("name", [name for name, each in DEFINITIONS.items() if each.format in CLOSED])
def test_a_closed_format_has_no_column_that_is_not_told(name: str) -> None:
    definition = DEFINITIONS[name]
    told = definition.own_columns
    assert told
    assert not told.isdisjoint(column for ways in definition.fields.values() for way in ways for column in way.columns)
    for path in SAMPLES.glob(f"{name}/*.json"):
        line = pl.Series([json.loads(path.read_text("utf-8"))["input"]])
        there = definition.reader.parse(line, None).columns
        assert told >= {name for name in there if name.split(".")[0] not in told} - {ERROR}


def test_an_open_format_may_have_any_column_unless_the_definition_tells_all(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(GOOD)
    assert load_definitions([tmp_path])["shop"].own_columns is None
    (tmp_path / "shop.yml").write_text(GOOD + "columns: [time, user]\n")
    assert load_definitions([tmp_path])["shop"].own_columns == frozenset({"time", "user"})


def test_events_have_the_ecs_columns_that_are_filled(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(GOOD + "  host.name: {constant: shop}\n  source.ip: [ip, addr]\n")
    shop = load_definitions([tmp_path])["shop"]
    assert shop.all_columns(frozenset({"time"})) == {"time", "host.name", *EVENT}
    assert shop.all_columns(frozenset({"user", "addr"})) == {
        "user",
        "addr",
        "user.name",
        "host.name",
        "source.ip",
        *EVENT,
    }


def test_a_later_folder_replaces_a_definition(tmp_path: Path) -> None:
    (tmp_path / "json.yml").write_text(GOOD.replace("name: shop", "name: json"))
    assert load_definitions([BUILT_IN, tmp_path])["json"].title == "Shop"


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (
            GOOD + "  user.nme: x\n",
            r"0\.yml:7:3: 'user\.nme' is no ECS column of an event; did you mean `user\.name`\?",
        ),
        (GOOD + "entity: [host.nam]\n", r"0\.yml:7:10: .*'host\.nam'.*did you mean `host\.name`"),
        (GOOD + "timestmp: x\n", r"0\.yml:7:1: unknown key `timestmp`; did you mean `timestamp`\?"),
        (GOOD + "recognise: {colums: a}\n", r"0\.yml:7:13: recognise: unknown key `colums`; did you mean `columns`\?"),
        (
            GOOD + "logsource:\n  produkt: a\n",
            r"0\.yml:8:3: logsource: unknown key `produkt`; did you mean `product`",
        ),
        (GOOD + "title: Again\n", r"0\.yml:7:1: the key 'title' stands twice"),
        (GOOD.replace("ndjson", "ndjsn"), r"0\.yml:3:1: 'ndjsn' is no format; did you mean `ndjson`\?"),
        (GOOD + "zone: Asia/Ho_Chi_Min\n", r"0\.yml:7:1: .*did you mean `Asia/Ho_Chi_Minh`\?"),
        (GOOD + "zone: ../../etc/passwd\n", r"0\.yml:7:1: .*'\.\./\.\./etc/passwd' is no time zone"),
        (GOOD + "zone: Asia\n", r"0\.yml:7:1: .*'Asia' is no time zone"),
        (GOOD + "options: {width: 3}\n", r"0\.yml:7:11: format 'ndjson' has no option 'width'"),
        (GOOD.replace("title: Shop\n", ""), r"0\.yml:1:1: the key `title` is missing"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", r"0\.yml:1:4: aliases are not allowed"),
        ("name: [", r"0\.yml:\d+:\d+: .*"),
        ("- a\n", r"0\.yml:1:1: not a mapping"),
        ("", r"0\.yml:1:1: not a mapping"),
        ("[" * 5000, r"0\.yml.*"),
        ("name: !!python/object/apply:os.getcwd []\n", r"0\.yml:1:7: could not determine a constructor.*"),
    ],
)
def test_a_fault_names_place_and_fix(tmp_path: Path, document: str, fault: str) -> None:
    found = faults(tmp_path, document)
    assert len(found) == 1
    assert re.fullmatch(f"{fault}.*", found[0], re.DOTALL), found[0]


def test_all_faults_of_all_files_are_reported(tmp_path: Path) -> None:
    found = faults(tmp_path, GOOD + "  user.nme: x\nzzz: 1\n", GOOD + "  host.nam: x\n", "[")
    assert [fault.split(":")[0] for fault in found] == ["0.yml", "0.yml", "1.yml", "2.yml"]


def test_every_mapped_name_is_an_event_column() -> None:
    names = {name for definition in DEFINITIONS.values() for name in (*definition.fields, *definition.entity)}
    assert names <= set(ECS)


def test_a_definition_is_a_value() -> None:
    definition = DEFINITIONS["windows"]
    assert isinstance(definition, Definition)
    with pytest.raises(ValueError, match="frozen"):
        definition.title = "x"
