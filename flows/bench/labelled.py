"""Labelled sets of the anomaly literature: the ensemble beside PyOD's detectors with their own defaults.

Half of the normal rows are learnt from; the other half and all anomalies are judged, as with a model of ours.
"""

from __future__ import annotations

import gzip
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.model import ENSEMBLE, Ensemble, Matrix, detector
from detectors.errors import InputError, Place, UsageError

SINGLES: Final = ("ECOD", "COPOD", "HBOS", "IForest", "PCA", "LOF", "KNN", "GMM", "INNE")
OURS: Final = "ours"
LEARNT: Final = 4_000  # rows
JUDGED: Final = 4_000
BUDGET: Final = 0.01  # share of the judged rows that somebody would look at
WORDS: Final = (1, 2, 3)  # columns of KDD that hold words


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows and which of them are anomalies (1)."""

    name: str
    rows: Matrix
    anomalies: npt.NDArray[np.int64]


def read(folder: Path) -> Iterator[Labelled]:
    """Read every set below a folder: ADBench (.npz with X and y), KDD (CSV, 41 features and a name), sequences.

    Sequences are files X_train and X_test_abnormal (and X_test_normal) of event numbers, a line each.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        try:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as content:
                    yield Labelled(path.stem, content["X"].astype(np.float64), content["y"].astype(np.int64).ravel())
            elif path.name.startswith("KDD"):
                yield _kdd(path)
            elif path.name.endswith("_train"):
                yield _sequences(path)
        except (KeyError, ValueError, OSError) as error:
            raise InputError(
                f"this is no labelled set ({error})", place=Place(str(path)), fix="move it away"
            ) from error


def _kdd(path: Path) -> Labelled:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    records = [line.split(",") for line in raw.decode("ascii", "replace").splitlines() if line]
    numbers = [at for at in range(41) if at not in WORDS]
    rows = np.array([[float(record[at]) for at in numbers] for record in records])
    return Labelled(path.name.split(".")[0], rows, np.array([int(record[41] != "normal") for record in records]))


def _sequences(path: Path) -> Labelled:
    stem = path.name.removesuffix("_train")
    normal = _lines(path) + _lines(path.with_name(f"{stem}_test_normal"))
    strange = _lines(path.with_name(f"{stem}_test_abnormal"))
    events = sorted({event for line in _lines(path) for event in line})
    number = {event: at for at, event in enumerate(events)}
    rows = np.zeros((len(normal) + len(strange), len(events) + 1))
    for at, line in enumerate([*normal, *strange]):
        for event in line:
            rows[at, number.get(event, len(events))] += 1
    return Labelled(stem, rows, np.repeat([0, 1], [len(normal), len(strange)]))


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def judge(one: Labelled, seed: int) -> dict[str, dict[str, float]]:
    """Return AUC-ROC, AP, precision at the budget and seconds per detector."""
    random = np.random.default_rng(seed)
    normal = random.permutation(np.flatnonzero(one.anomalies == 0))
    half = len(normal) // 2
    learn = one.rows[normal[:half]][:LEARNT]
    others = np.concatenate([normal[half:], np.flatnonzero(one.anomalies)])
    kept = np.sort(np.random.default_rng(seed).permutation(len(others))[:JUDGED])
    judged = others[kept]
    rows, truth = one.rows[judged], one.anomalies[judged]
    centre, scale = learn.mean(axis=0), learn.std(axis=0)
    scale[scale < 1e-9] = 1.0
    found = {}
    for name in (*SINGLES, OURS):
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = _scores(name, (learn - centre) / scale, (rows - centre) / scale, seed)
        found[name] = {**_measures(truth, scores), "seconds": time.process_time() - start}
    return found


def _scores(name: str, learn: Matrix, rows: Matrix, seed: int) -> Matrix:
    try:
        if name == OURS:
            return Ensemble(learn, ENSEMBLE, seed).score(rows)
        scores: Any = detector(name, seed).fit(learn).decision_function(rows)
    except ValueError:  # PCA of constant columns, say: it has no opinion
        return np.zeros(len(rows))
    made: Matrix = np.nan_to_num(scores, posinf=1e300, neginf=-1e300)
    return made


def _measures(truth: npt.NDArray[np.int64], scores: Matrix) -> dict[str, float]:
    judges: Any = import_module("sklearn.metrics")  # comes with PyOD, takes a second to import, and has no types

    looked = np.argsort(-scores, kind="stable")[: max(1, round(BUDGET * len(scores)))]
    return {
        "auc": float(judges.roc_auc_score(truth, scores)),
        "ap": float(judges.average_precision_score(truth, scores)),
        "precision": float(truth[looked].mean()),
    }


def ranks(results: dict[str, dict[str, dict[str, float]]], measure: str) -> dict[str, float]:
    """Return the mean rank of every detector over the sets, 1 is best; equals share theirs."""
    totals = dict.fromkeys((*SINGLES, OURS), 0.0)
    for found in results.values():
        values = {name: round(each[measure], 4) for name, each in found.items()}
        for name, value in values.items():
            above = sum(other > value for other in values.values())
            equal = sum(other == value for other in values.values())
            totals[name] += above + (equal + 1) / 2
    return {name: total / max(len(results), 1) for name, total in totals.items()}


def bench(folder: Path, seed: int) -> dict[str, Any]:
    """Judge all sets below a folder."""
    results = {one.name: judge(one, seed) for one in read(folder)}
    if not results:
        raise UsageError(f"no labelled sets below {folder}", fix="name a folder with ADBench's .npz files")
    return {"seed": seed, "sets": results, "ranks": {name: ranks(results, name) for name in ("auc", "ap", "precision")}}
