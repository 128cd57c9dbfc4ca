"""`soc models`: what it says of versions, and of none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from connectors.models import Registry
from flows.cli import main

ARRAYS = {"sample": np.ones((3, 2)), "calibration": np.arange(3.0)}


@pytest.fixture
def soc(tmp_path: Path) -> Callable[..., int]:
    (tmp_path / "soc.yml").write_text(f"anomaly: {{models: {tmp_path / 'models'}, key: {tmp_path / 'key'}}}\n")
    return lambda *words: main(["models", *words, "--config", str(tmp_path / "soc.yml")])


def _saved(folder: Path) -> list[str]:
    registry = Registry(str(folder / "models"), folder / "key")
    made = []
    for seed in (1, 2):
        manifest = {
            "seed": seed,
            "trained": f"2026-04-0{seed}T02:20",
            "detectors": ["KNN", "GMM"],
            "period": ["2026-03-01T17:00", "2026-03-31T17:00"],
            "windows": {"entities": 7, "learnt": 80, "held": 50},
        }
        made.append(registry.save("logons", ARRAYS, manifest))
        registry.promote("logons", made[-1])
    return made


def test_without_a_model_it_says_how_to_get_one(soc: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert soc("list") == 0
    assert "no model" in (said := capsys.readouterr().err)
    assert "`soc train`" in said


def test_versions_are_listed_shown_and_rolled_back(
    soc: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = _saved(tmp_path)
    assert soc("list") == 0
    listed = capsys.readouterr().out
    assert re.findall(r"logons (\w+) +in use", listed) == [second]
    assert "2026-03-02 – 2026-03-31" in listed  # local days, the last one too
    assert soc("show", "logons", first) == 0
    assert orjson.loads(capsys.readouterr().out)["seed"] == 1
    assert soc("rollback", "logons") == 0
    assert f"logons {first} is in use again" in capsys.readouterr().err
    assert soc("rollback", "logons") == 2
    assert soc("show", "logons", "never") == 2
    assert soc("show", "nobody") == 2


def test_a_changed_model_is_refused_by_name(
    soc: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = _saved(tmp_path)
    manifest = next((tmp_path / "models" / "logons" / first).glob("*.json"))
    written = manifest.read_bytes()
    changed = re.sub(rb'("seed": ?)1', rb"\g<1>9", written)
    assert changed != written
    manifest.write_bytes(changed)
    assert soc("show", "logons", first) == 3
    said = capsys.readouterr().err
    assert first in said
    assert "not signed" in said
    assert soc("list") == 3  # the others are listed all the same
    listed = capsys.readouterr()
    assert re.findall(r"logons (\w+)", listed.out) == [second]
    assert first in listed.err
