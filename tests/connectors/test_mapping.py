"""The definition language: every way to fill a column, patterns, tables, derivations, records of several lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.definitions import load_definition
from connectors.derive import DERIVATIONS, community_id, derived
from connectors.faults import DefinitionsError
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.ecs import COLUMNS
from detectors.schema import ECS, RECORD, TIME

HEAD = "name: shop\ntitle: Shop\nformat: ndjson\ntimestamp: t\n"


def events(folder: Path, body: str, *lines: str, wanted: list[str] | None = None) -> pl.DataFrame:
    path = folder / "shop.yml"
    path.write_text(HEAD + body, encoding="utf-8")
    records = pl.DataFrame([(line, n, 0) for n, line in enumerate(lines)], schema=RECORD, orient="row")
    parser = DefinedParser(load_definition(path), year=2026)
    return parser.parse(Batch("shop", "file:x", "x", records), wanted).events


FIELDS = [
    ("user.name: u", '{"u": "lan"}', "lan"),
    ("user.name: [a, u]", '{"u": "lan", "a": "-"}', "lan"),
    ("user.name: {columns: u, constant: nobody}", "{}", "nobody"),
    ("event.outcome: {columns: r, values: {1: success}, otherwise: failure}", '{"r": 1}', "success"),
    ("event.outcome: {columns: r, values: {1: success}, otherwise: failure}", '{"r": 2}', "failure"),
    ("event.outcome: {columns: r, values: {1: success}, otherwise: failure}", "{}", None),
    ("user.name: {columns: u, extract: '([^@]+)@'}", '{"u": "lan@example.com"}', "lan"),
    ("network.transport: {columns: p, case: lower}", '{"p": "TCP"}', "tcp"),
    ("event.category: {constant: [network, session]}", "{}", ["network", "session"]),
    ("event.type: {columns: a, values: {deny: [connection, denied]}}", '{"a": "deny"}', ["connection", "denied"]),
    ("user.roles: {columns: g, split: ','}", '{"g": "a, b,,c"}', ["a", "b", "c"]),
    (
        "dns.resolved_ip: {columns: r, split: ';', each: '^a=(.+)$'}",
        '{"r": "a=192.0.2.1;x;a=::1;"}',
        ["192.0.2.1", "::1"],
    ),
    ("event.type: {columns: r, split: ';', each: '(.)', values: {1: a}, otherwise: b}", '{"r": "1;2"}', ["a", "b"]),
    ("user.name: {columns: r, split: ';', each: '^u=(.+)$'}", '{"r": "x;u=lan;u=minh"}', "lan"),
    ("user.name: {columns: l, join: ' ', extract: 'for (.+)'}", '{"l": ["failed", "for lan"]}', "lan"),
    ("user.name: {columns: l, join: ' ', extract: 'for (.+)'}", '{"l": "for lan"}', "lan"),
    ("related.user: {columns: [a, b], every: true}", '{"a": "x", "b": ["y", "x"]}', ["x", "y"]),
    ("event.duration: {columns: s, scale: 1000000000}", '{"s": "1.5"}', 1_500_000_000),
    ("event.risk_score: s", '{"s": "7.25"}', 7.25),
    ("event.severity: s", '{"s": "3"}', 3),
    ("user.name: {template: '{d}\\{u}'}", '{"u": "lan", "d": "GL"}', "GL\\lan"),
    ("user.name: {template: '{d}\\{u}'}", '{"u": "lan"}', None),
    ("event.start: s", '{"s": "2026-03-02T08:00:00Z"}', "2026-03-02 08:00:00+00:00"),
    ("source.ip: a", '{"a": "192.0.2.1"}', "192.0.2.1"),
    ("source.ip: a", '{"a": "host.example"}', None),
    ("source.ip: a", '{"a": "2001:db8::1"}', "2001:db8::1"),
    ("event.kind: [{constant: alert, when: {l: [high, 5]}}, {constant: event}]", '{"l": 5}', "alert"),
    ("event.kind: [{constant: alert, when: {l: [high, 5]}}, {constant: event}]", '{"l": 4}', "event"),
    ("event.kind: [{constant: alert, when: {l: {matches: '^h'}}}]", '{"l": "high"}', "alert"),
    ("event.kind: [{constant: alert, when: {l: {exists: false}}}]", '{"x": 1}', "alert"),
    ("event.kind: [{constant: alert, when: {l: {differs: low}}}]", '{"l": "low"}', None),
    ("event.kind: [{constant: alert, when: {l: low, m: {exists: true}}}]", '{"l": "low"}', None),
    ("user.name: [{columns: a, when: {k: user}}, b]", '{"a": "x", "b": "y", "k": "group"}', "y"),
]


@pytest.mark.parametrize(("field", "line", "value"), FIELDS)
def test_a_field_is_filled(tmp_path: Path, field: str, line: str, value: Any) -> None:
    name = field.partition(":")[0]
    for wanted in (None, [name]):
        found = events(tmp_path, f"fields:\n  {field}\n", line, wanted=wanted)
        made = found[name].to_list()[0] if name in found.columns else None
        assert (str(made) if name == "event.start" else made) == value


EXTRACT = r"""
extract:
  - from: m
    by: p
    patterns:
      - {of: sshd, pattern: '^Failed password for %{USER:user} from %{IP:source.ip}', set: {event.outcome: failure}}
      - {of: [sshd, su], pattern: '^session opened for (?P<user>\S+)', set: {event.type: [start, user]}}
      - '^(?P<word>\w+)$'
  - {from: word, patterns: ['^(?P<letter>.)']}
lookup:
  - column: user
    rows: {lan: {user.full_name: Lan, user.roles: [admin, staff]}, 7: {user.full_name: Seven}}
fields: {user.name: user, event.outcome: {constant: unknown}}
"""


def test_a_table_is_only_for_events_of_which_its_conditions_hold(tmp_path: Path) -> None:
    table = "lookup: [{column: c, when: {p: [a, b]}, rows: {1: {event.action: start, event.type: [start]}}}]\n"
    lines = ('{"p": "a", "c": 1}', '{"p": "x", "c": 1}', '{"c": 1}', '{"p": "b", "c": 2}')
    for wanted in (None, ["event.action", "event.type"]):
        found = events(tmp_path, table, *lines, wanted=wanted)
        assert found["event.action"].to_list() == ["start", None, None, None]
        assert found["event.type"].to_list() == [["start"], None, None, None]
    assert "c" in events(tmp_path, table, *lines, wanted=["c"]).columns


def test_command_lines_are_split_at_blanks_outside_quotation_marks(tmp_path: Path) -> None:
    body = "fields: {process.command_line: c}\nderive: [arguments]\n"
    found = events(tmp_path, body, '{"c": "\\"C:/a b/x.exe\\"  -k=\\"1 2\\" z"}', "{}", '{"c": " "}')
    assert found["process.args"].to_list() == [["C:/a b/x.exe", "-k=1 2", "z"], None, None]
    assert found["process.args_count"].to_list() == [3, None, None]


def test_patterns_and_tables_fill_columns(tmp_path: Path) -> None:
    lines = (
        '{"p": "sshd", "m": "Failed password for lan from 192.0.2.1 port 1"}',
        '{"p": "su", "m": "session opened for 7"}',
        '{"p": "cron", "m": "hello"}',
        '{"p": "su", "m": "Failed password for lan from 192.0.2.1"}',
        "{}",
    )
    found = events(tmp_path, EXTRACT, *lines)
    assert found["user.name"].to_list() == ["lan", "7", None, None, None]
    assert found["event.outcome"].to_list() == ["failure", *["unknown"] * 4]
    assert found["event.type"].to_list() == [None, ["start", "user"], None, None, None]
    assert found["letter"].to_list() == [None, None, "h", None, None]
    assert found["source.ip"].to_list()[0] == "192.0.2.1"
    assert found["user.full_name"].to_list()[:2] == ["Lan", "Seven"]
    assert found["user.roles"].to_list()[0] == ["admin", "staff"]
    for name in ("letter", "user.full_name", "event.outcome", "user.name", "user.roles"):
        assert events(tmp_path, EXTRACT, *lines, wanted=[name])[name].equals(found[name])


def test_a_catalogue_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "catalogues").mkdir()
    (tmp_path / "catalogues" / "words.yml").write_text("from: m\npatterns: ['^(?P<word>\\w+)$']\n")
    assert events(tmp_path, "extract: [words]\n", '{"m": "a"}')["word"].to_list() == ["a"]
    (tmp_path / "catalogues" / "words.yml").write_text("from: m\npatterns:\n  - {pattern: '('}\n")
    with pytest.raises(DefinitionsError, match=r"words\.yml:3:6: "):
        events(tmp_path, "extract: [words]\n")
    with pytest.raises(DefinitionsError, match=r"shop\.yml:5:11: 'wods' is no catalogue; did you mean `words`"):
        events(tmp_path, "extract: [wods]\n")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("extract: [{from: m, patterns: ['%{IPP:x}']}]\n", r":5:\d+: .*did you mean `IP`"),
        (
            "extract: [{from: m, patterns: ['%{IP:source.ipp}']}]\n",
            r":5:11: 'source\.ipp' is no ECS column.*source\.ip",
        ),
        ("extract: [{from: m, patern: ['x']}]\n", r":5:\d+: extract.0: unknown key `patern`; did you mean `patterns`"),
        ("fields:\n  user.name: {colums: x}\n", r":6:15: fields.user.name: unknown key `colums`; did you mean `col"),
        ("fields:\n  user.name: {columns: x, extract: abc}\n", r":6:\d+: .*no group"),
        ("fields:\n  user.name: [{columns: x, when: {a: {matchs: b}}}]\n", r":6:\d+: .*did you mean `matches`"),
        ("derive: [urls]\n", r":5:\d+: 'urls' is no derivation; did you mean `url`"),
        ("retention: forever\n", r":5:1: "),
        ("multiline: '('\n", r":5:1: "),
    ],
)
def test_a_fault_names_place_and_fix(tmp_path: Path, body: str, fault: str) -> None:
    with pytest.raises(DefinitionsError, match=rf"shop\.yml{fault}"):
        events(tmp_path, body)


def test_columns_are_derived(tmp_path: Path) -> None:
    body = (
        "fields: {source.ip: s, destination.ip: d, source.port: sp, destination.port: dp, network.transport: p,"
        " source.bytes: sb, destination.bytes: db, url.original: u, file.path: f}\n"
        "derive: [address, network, community_id, url, file]\n"
    )
    line = (
        '{"s": "128.232.110.120", "d": "66.35.250.204", "sp": 34855, "dp": 80, "p": "tcp", "sb": 1, "db": 2,'
        ' "u": "https://portal.example:8443/a/b.php?c=d#e", "f": "C:\\\\tmp\\\\a.exe"}'
    )
    row = events(tmp_path, body, line).row(0, named=True)
    expected = {
        "source.address": "128.232.110.120",
        "network.type": "ipv4",
        "network.bytes": 3,
        "network.iana_number": "6",
        "network.community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        "url.scheme": "https",
        "url.domain": "portal.example",
        "url.port": 8443,
        "url.path": "/a/b.php",
        "url.query": "c=d",
        "url.fragment": "e",
        "url.extension": "php",
        "file.name": "a.exe",
        "file.directory": "C:\\tmp",
        "file.extension": "exe",
    }
    assert {name: row[name] for name in expected} == expected
    for name, value in expected.items():
        assert events(tmp_path, body, line, wanted=[name])[name].to_list() == [value]


@pytest.mark.parametrize("name", DERIVATIONS)
def test_of_nothing_nothing_is_derived(name: str) -> None:
    one = DERIVATIONS[name]
    nothing = pl.DataFrame({"@timestamp": pl.Series([datetime(2026, 3, 2, tzinfo=UTC)] * 2, dtype=TIME)})
    have = nothing.with_columns(
        pl.lit(None, ECS.get(each, pl.String())).alias(each) for each in one.needs if each != "@timestamp"
    )
    made = have.select(one.make(have)).select(one.makes)
    assert made.null_count().row(0) == (2,) * made.width
    for frame in (nothing, have.drop(one.makes, strict=False)):
        assert_frame_equal(derived(frame, [name], None).select(one.makes), made)
    (first, *_) = one.makes
    own = nothing.with_columns(pl.lit(None, ECS[first]).alias(first), x=pl.lit("x"))
    assert derived(own, [name], [first]).columns == own.columns


def test_every_row_has_what_its_own_pattern_says(tmp_path: Path) -> None:
    ways = ["Failed password for u{} from 192.0.2.1", "session opened for u{}"]
    lines = [f'{{"p": "{("sshd", "su")[n % 2]}", "m": "{ways[n % 2].format(n)}"}}' for n in range(6)]
    assert events(tmp_path, EXTRACT, *lines)["user.name"].to_list() == [f"u{n}" for n in range(6)]


def test_community_ids_are_those_of_the_specification() -> None:
    assert community_id("192.168.0.89", 8, "192.168.0.1", 0, 1) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="
    assert community_id("fe80::200:86ff:fe05:80da", 135, "fe80::260:97ff:fe07:69ea", 0, 58) == (
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="
    )
    assert community_id("192.0.2.1", None, "192.0.2.2", None, 6) is None
    assert community_id("not an address", 1, "192.0.2.2", 2, 6) is None


def test_lines_without_a_beginning_belong_to_the_record_before(tmp_path: Path) -> None:
    body = "multiline: '^\\{'\n"
    found = events(tmp_path, body, '{"a":', "1}", '{"a": 2}', '{"a"', ":", "3}")
    assert found["a"].to_list() == ["1", "2", "3"]
    assert found["log.offset"].to_list() == [0, 2, 3]


def test_event_columns_have_the_types_of_ecs(reference: Path) -> None:
    import yaml

    flat = yaml.load((reference / "ecs" / "ecs_flat.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    kinds: dict[str, Any] = {
        "long": pl.Int64(), "float": pl.Float64(), "boolean": pl.Boolean(), "date": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    wrong = {}
    for name, kind in COLUMNS.items():
        if (field := flat.get(name)) is None:
            continue
        expected = kinds.get(field["type"], pl.String())
        around = flat.get(name.rpartition(".")[0], {})  # Elasticsearch flattens objects of an array into lists
        listed = "array" in [*field.get("normalize", []), *around.get("normalize", [])]
        expected = pl.List(expected) if listed else expected
        if kind != expected:
            wrong[name] = (kind, expected)
    assert wrong == {}
