"""Sources are told by content."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from connectors import recognise as module
from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.recognise import fitting, recognise, verdict

SAMPLES = Path(__file__).parents[1] / "samples"
DEFINITIONS = load_definitions()
APPLICATIONS = [name for name, one in DEFINITIONS.items() if one.recognise.values.get("system")]


def lines(source: str) -> list[str]:
    return [json.loads(path.read_text())["input"] for path in sorted((SAMPLES / source).glob("*.json"))]


@pytest.mark.parametrize(
    "source", ["windows", "auth", "syslog", "auditd", "apache", "cloudtrail", "hotline_1022", "json"]
)
def test_a_source_is_told_from_its_samples(source: str) -> None:
    found = recognise(lines(source), DEFINITIONS)
    assert found is not None
    assert found.source == source
    assert 0.6 <= found.confidence <= 1


def test_headings_of_a_file_say_nothing_against_its_few_lines() -> None:
    head = ["#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", "#Date: 2026-03-02 00:00:00"]
    fields = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status"
    found = recognise([*head, fields, "2026-03-02 00:00:01 192.0.2.5 GET / - 80 - 192.0.2.7 200"], DEFINITIONS)
    assert found is not None
    assert found.source == "iis"


def test_a_system_that_names_itself_comes_before_the_layout_that_it_shares() -> None:
    assert all(
        DEFINITIONS[name].recognise.weight > DEFINITIONS["application_audit"].recognise.weight for name in APPLICATIONS
    )


@pytest.mark.parametrize("source", ["datacentre", "public_services"])
def test_a_system_of_the_province_is_told_by_its_name_in_each_line_whatever_the_file_is_called(source: str) -> None:
    found = recognise(lines(source), DEFINITIONS)
    assert found is not None
    assert found.source == source


@pytest.mark.parametrize(
    ("label", "source"), [("nginx/access.log", "nginx"), ("portal.log", "portal"), ("access.log", "apache")]
)
def test_the_name_of_the_file_decides_between_equals(label: str, source: str) -> None:
    found = recognise(lines("apache"), DEFINITIONS, label)
    assert found is not None
    assert found.source == source


def test_the_name_alone_decides_nothing() -> None:
    assert recognise(["what is this", "no idea"], DEFINITIONS, "auth.log") is None


@pytest.mark.parametrize("sample", [[], ["", " "], ["\x00\x01\x02"], ["[" * 5000], ["a,b,c", "1,2,3"]])
def test_nothing_is_told_from_nothing(sample: list[str]) -> None:
    assert recognise(sample, DEFINITIONS) is None


def test_equal_sources_are_not_guessed() -> None:
    twin = DEFINITIONS["auditd"].model_copy(update={"name": "twin"})
    assert recognise(lines("auditd"), {"auditd": DEFINITIONS["auditd"], "twin": twin}) is None


def test_some_garbage_among_the_lines_changes_nothing() -> None:
    found = recognise([*lines("auditd") * 3, "garbage"], DEFINITIONS)
    assert found is not None
    assert found.source == "auditd"


def test_lines_that_a_server_writes_when_it_starts_tell_nothing() -> None:
    started = [
        "/usr/sbin/mysqld, Version: 8.0.15. started with:",
        "Tcp port: 3306  Unix socket: /x",
        "Time  Id Command",
    ]
    found = recognise([*started, *lines("mysql_slow")[0].split("\n")], DEFINITIONS)
    assert found is not None
    assert found.source == "mysql_slow"


def test_sessions_of_cron_make_no_syslog_of_an_authentication_log() -> None:
    cron = "Mar  9 00:00:01 web01 CRON[470]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
    found = recognise([cron] * 120 + lines("auth")[:1] * 40, DEFINITIONS)
    assert found is not None
    assert found.source == "auth"


def test_half_is_enough_where_nothing_else_fits_at_all() -> None:
    shares = {"auditd": 0.5, "apache": 0.0}
    told = verdict(shares, DEFINITIONS)
    assert told is not None
    assert told.source == "auditd"
    assert verdict({"auditd": 0.5, "apache": 0.1}, DEFINITIONS) is None
    assert verdict({"auditd": 0.4, "apache": 0.0}, DEFINITIONS) is None


def test_sources_are_left_out_only_where_next_to_nothing_fits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {source: lines(source) for source in sorted(DEFINITIONS)}
    possible = {source: module._possible(pl.Series(some), DEFINITIONS) for source, some in samples.items()}
    monkeypatch.setattr(module, "_possible", lambda _, definitions: definitions)
    monkeypatch.setattr(module, "_whole", lambda records, _: records)
    monkeypatch.setattr(module, "_told", lambda frame, _: frame)
    asked = fitting(pl.Series([line for some in samples.values() for line in some]), DEFINITIONS)
    start = 0
    for source, some in samples.items():
        assert source in possible[source]
        for name in DEFINITIONS.keys() - possible[source].keys():
            assert asked[name].slice(start, len(some)).sum() < 0.1 * len(some), (source, name)
        start += len(some)


def test_what_a_source_says_that_its_lines_hold_is_looked_for_first() -> None:
    told = {"name": "x", "title": "x", "format": "text", "recognise": {"columns": ["message"], "holds": ["abc"]}}
    one = {"x": Definition.model_validate(told)}
    assert recognise(["1 abc", "2 abc"], one) is not None
    assert recognise(["1 ab", "2 bc"], one) is None


@pytest.mark.reference
@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("web/apache_logs_10k", "apache"),
        ("loghub/OpenSSH/OpenSSH_2k.log", "auth"),
        ("loghub/Linux/Linux_2k.log", "syslog"),
        ("loghub/HDFS/HDFS_2k.log", None),
        ("misc-text/audit_enriched.log", "auditd"),
        ("misc-text/syslog_cron.log", "syslog"),
        ("misc-text/iis10.log", "iis"),
        ("misc-text/postgresql.log", "postgresql"),
    ],
)
def test_real_logs_are_told(reference: Path, path: str, source: str | None) -> None:
    sample = (reference / path).read_text(errors="replace").split("\n")
    found = recognise(sample, DEFINITIONS, path)
    assert (found and found.source) == source


def test_a_level_behind_a_time_is_no_host() -> None:
    assert recognise(["2026-03-02 08:15:03 INFO com.example.Bar: started"] * 3, DEFINITIONS) is None
    found = recognise(["2026-03-02 08:15:03 srv01 cron[7]: (root) CMD (true)"] * 3, DEFINITIONS)
    assert found is not None
    assert found.source in {"auth", "syslog"}
