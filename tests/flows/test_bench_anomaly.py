"""The benchmark of anomalies: what it reads, and that a change of behaviour is found in a small province."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connectors.simulator.behaviour import SCENARIOS, Size, simulate
from detectors.errors import InputError, UsageError
from flows.bench import labelled
from flows.bench.behaviour import BEGIN


def test_sets_of_every_kind_are_read(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rows = np.concatenate([random.normal(size=(200, 3)), random.normal(8, 1, size=(10, 3))])
    np.savez(tmp_path / "ours.npz", X=rows, y=np.repeat([0, 1], [200, 10]))
    words = ["1", "tcp", "http", "SF", *["0"] * 37]
    lines = [",".join([*words, name, "20"]) for name in ("normal", "neptune")]
    (tmp_path / "KDDTrain.txt").write_text("\n".join(lines))
    (tmp_path / "app_train").write_text("1 2 3\n1 2 2\n")
    (tmp_path / "app_test_abnormal").write_text("9 9\n")
    found = {one.name: one for one in labelled.read(tmp_path)}
    assert found["KDDTrain"].anomalies.tolist() == [0, 1]
    assert found["app"].rows[-1].tolist() == [0, 0, 0, 2]  # events that training never had
    measures = labelled.judge(found["ours"], 1)
    assert measures[labelled.OURS]["auc"] > 0.99
    assert labelled.ranks({"ours": measures}, "auc")[labelled.OURS] <= 5.5


def test_a_folder_without_sets_and_a_damaged_set_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labelled sets"):
        labelled.bench(tmp_path, 1)
    (tmp_path / "broken.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="broken"):
        labelled.bench(tmp_path, 1)


def test_behaviour_repeats_with_its_seed_and_every_scenario_leaves_events() -> None:
    size = Size(40, 20, 28)
    one, again, other = (simulate(size, seed, BEGIN, 7) for seed in (3, 3, 4))
    assert all(one.events[name].equals(again.events[name]) for name in one.events)
    assert not one.truth.equals(other.truth)
    assert one.truth.height == len(SCENARIOS) >= 15
    assert one.truth["entity"].n_unique() == one.truth.height
    for row in one.truth.iter_rows(named=True):
        frame = one.events[row["set"]]
        column = "source.ip" if row["set"] == "traffic" else "user.name"
        assert frame.filter(
            (frame[column] == row["entity"]) & frame["@timestamp"].is_between(row["start"], row["end"])
        ).height
