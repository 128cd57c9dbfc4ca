"""soc.yml and the environment over it."""

from __future__ import annotations

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
        ("stor: x\n", "stor: .*known keys"),
        ("kafka: {batch: 0}\n", "kafka.batch: .*greater than 0"),
        ("zone: [1\n", "soc.yml:2:1: not valid YAML"),
        ("kafka: {servers: x, hosts: y}\n", "kafka.hosts"),
    ],
)
def test_a_fault_names_the_key_and_the_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load(write(tmp_path, text))


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
