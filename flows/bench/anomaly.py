"""`soc bench anomaly`: how good the anomaly detectors are, on labelled sets and on simulated behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from connectors.simulator.behaviour import Size
from connectors.simulator.routine import Extent
from flows.bench import behaviour, labelled, quiet, routine, scale
from flows.bench.table import table

JUDGING: Final = 23  # a seed; what was chosen was chosen with others
STRENGTH: Final = 0.9  # of the changes that are judged; tuning had 1


def run(folders: list[Path], size: Size, *, seed: int = JUDGING) -> dict[str, Any]:
    """Judge labelled sets below folders, or without folders the simulated province; print tables."""
    if folders:
        found = {str(folder): labelled.bench(folder, seed) for folder in folders}
        for one in found.values():
            print(_labelled(one))
        return found
    told = behaviour.bench(size, seed, STRENGTH)
    print(_behaviour(told))
    return told


def scaled(entities: int, days: int) -> dict[str, Any]:
    """Measure what training of many entities costs; print it."""
    told = scale.costs(Size(entities, 0, days))
    print(scale.shown(told))
    return told


def quieted(days: int, seed: int) -> dict[str, Any]:
    """Count what exact detectors tell of a large province's routine, and of log lines without an attack; print it."""
    calm = routine.costs(Extent(days=days), seed)
    print(routine.shown(calm), flush=True)
    told = quiet.costs(days, seed)
    print(quiet.shown(told))
    return {**told, "routine": calm}


def _labelled(told: dict[str, Any]) -> str:
    names = list(told["ranks"]["auc"])
    tables = []
    for measure in ("auc", "ap", "precision"):
        rows = [(name, *(found[each][measure] for each in names)) for name, found in told["sets"].items()]
        tables.append(
            table((measure, *names), [*rows, ("mean rank", *(told["ranks"][measure][each] for each in names))])
        )
    rows = [(name, *(found[each]["seconds"] for each in names)) for name, found in told["sets"].items()]
    return "\n\n".join([*tables, table(("seconds", *names), rows)])


def _behaviour(told: dict[str, Any]) -> str:
    rows = [
        (name, "missed" if days is None else f"day {days}", told["by"][name] or "")
        for name, days in told["scenarios"].items()
    ]
    changed = ", ".join(f"the {name} {share:.1%}" for name, share in told["changed"].items())
    return "\n".join(
        [
            table(("scenario", "found", "first by"), rows),
            "",
            table(("false anomalies", "a day"), list(told["false"].items())),
            "",
            f"recall {told['recall']:.0%}, {told['false_per_day']:.2f} false anomalies a day, "
            f"{told['explained']:.0%} of explanations hold",
            f"the same again: {'yes' if told['repeated'] else 'no'}; of {told['findings']} findings change without a "
            f"day of training: {changed}",
            f"{told['seconds']:.0f} s of one core for events, features, training and scoring",
        ]
    )
