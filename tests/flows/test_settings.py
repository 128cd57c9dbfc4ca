"""soc.yml and the environment over it."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
import yaml

from detectors.errors import UsageError
from flows.settings import Settings, load, password

EXAMPLE = Path(__file__).resolve().parents[2] / "soc.example.yml"


def write(folder: Path, text: str) -> Path:
    path = folder / "soc.yml"
    path.write_text(text)
    return path


def test_the_example_shows_every_key_with_its_default() -> None:
    shown = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    assert load(EXAMPLE) == Settings()
    assert shown.keys() == Settings.model_fields.keys()
    for part in ("kafka", "elastic", "collect"):
        assert shown[part].keys() == type(getattr(Settings(), part)).model_fields.keys() - {"password"}


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "store: a.sqlite\nkafka: {servers: ['one:9092'], group: g}\n")
    monkeypatch.setenv("SOC_STORE", "b.sqlite")
    monkeypatch.setenv("SOC_KAFKA__SERVERS", '["two:9092"]')
    read = load(path)
    assert read.store == Path("b.sqlite")
    assert read.kafka.servers == ["two:9092"]
    assert read.kafka.group == "g"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stor: x\n", "soc.yml:1:1: unknown key `stor`; did you mean `store`?"),
        ("late: 5\nkafka:\n  batch: 0\n", "soc.yml:3:3: kafka.batch: 0 is out of bounds; write more than 0"),
        ("zone: [1\n", "soc.yml:2:1: did not find expected ',' or ']'; correct the YAML there"),
        ("kafka: {hosts: y}\n", "soc.yml:1:9: kafka: unknown key `hosts`; known keys: servers, group, sources, batch"),
        ("language: fr\n", "soc.yml:1:1: language: 'fr' is none of 'vi' or 'en'; write one of them"),
        ("zone: Asia/Saigonn\n", "soc.yml:1:1: 'Asia/Saigonn' is no time zone; did you mean `Asia/Saigon`?"),
        ("store: a\nstore: b\n", "soc.yml:2:1: the key 'store' stands twice"),
        ("- a\n", "soc.yml:1:1: not a mapping; see soc.example.yml"),
        ("5: a\n", "soc.yml:1:1: unknown key `5`; known keys: rules"),
        ("notify: {quiet_from: 25:00}\n", "25:00 is no time of day"),
        ("anomaly: {holidays: [2026-13-01]}\n", "2026-13-01 is no day or time of the calendar"),
        ("elastic: {url: 'es.example:9200'}\n", "begins with https:// or http://; write https://es.example:9200"),
        ("elastic:\n  url: es.example\n", "soc.yml:2:3: 'es.example' is no address that begins with https://"),
        ("elastic: {url: 'https://es.example'}\n", "es.example lacks a port; write https://es.example:9200"),
        ("elastic: {url: 'ftp://es.example:9200'}\n", "write https://es.example:9200"),
        ("elastic: {url: 'https://es.example:port'}\n", "write https://es.example:9200"),
        ("kibana: {url: //kibana.example}\n", "'kibana.example' is no address that begins with"),
        (
            "enrichment:\n  registry:\n    - {path: a.csv, section: unit, columns: {id: Ma}}\n",
            "soc.yml:3:21: enrichment.registry.0.section: 'unit' is none of",
        ),
    ],
)
def test_a_fault_names_the_key_and_the_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, text))
    (line,) = caught.value.lines()
    assert told in line


def test_all_faults_are_told_those_of_the_environment_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOC_KAFKA__BATCH", "many")
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, "late: soon\nkafka: {batch: 5, group: [a]}\n"))
    assert sorted(line.removeprefix(f"{tmp_path}/") for line in caught.value.lines()) == [
        "environment: SOC_KAFKA__BATCH: 'many' is no whole number; write a number such as 5",
        "soc.yml:1:1: late: 'soon' is no whole number; write a number such as 5",
        "soc.yml:2:19: kafka.group: ['a'] is no text; write a text, in quotes if it looks like something else",
    ]
    monkeypatch.setenv("SOC_RULES", "one")
    with pytest.raises(UsageError, match="SOC_RULES holds no JSON; write a list as"):
        load(None)


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, "elastic: {password: [hidden], url: 'lan:hidden@es.example'}\n"))
    assert len(caught.value.lines()) == 2
    assert "hidden" not in str(caught.value)


def test_a_time_without_quotes_is_what_it_says(tmp_path: Path) -> None:
    assert load(write(tmp_path, "notify: {quiet_from: 22:00, quiet_to: 6:30}\n")).notify.quiet_from == time(22)
    assert load(write(tmp_path, "# nothing\n\n")) == Settings()


def test_a_missing_file_is_a_fault_only_when_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None) == Settings()
    with pytest.raises(UsageError, match="no settings file"):
        load(tmp_path / "none.yml")


def test_a_secret_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from file\n")
    read = load(write(tmp_path, f"elastic: {{password_file: {secret}}}\n"))
    assert password(read.elastic) == "from file"
    monkeypatch.setenv("SOC_KAFKA__PASSWORD", "from environment")
    assert password(load(None).kafka) == "from environment"
    assert "from environment" not in repr(load(None))
    with pytest.raises(UsageError, match="can't be read"):
        password(load(write(tmp_path, "elastic: {password_file: /none}\n")).elastic)
