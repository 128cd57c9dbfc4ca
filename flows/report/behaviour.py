"""An anomaly as the report shows it: its text in the report's language, its features, and the entity's last windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from flows.report.words import Clock
from flows.terminal import visible

WIDTH: Final = 720
HEIGHT: Final = 90
TEXT: Final = 3_000
MOST: Final = 60  # bars, and features


@dataclass(frozen=True, slots=True)
class Column:
    """One window of the entity's history; the last is the strange one."""

    x: float
    y: float
    width: float
    height: float
    title: str
    strange: bool


@dataclass(frozen=True, slots=True)
class Odd:
    """What a card shows of an anomaly."""

    text: str
    features: tuple[tuple[str, str, str, str], ...]  # words, seen, usual, peers
    label: str  # of the picture
    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT


def odd(text: object, clock: Clock, lang: str) -> Odd | None:
    """Read `soc.anomaly`; what isn't of its form shows nothing."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return _odd(orjson.loads(text), clock, lang)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def _odd(told: dict[str, Any], clock: Clock, lang: str) -> Odd:
    features = told.get("features", [])[:MOST]
    history = told.get("history") or {"feature": "", "windows": [], "values": []}
    words = {one["feature"]: one["words"][lang] for one in features}
    if "words" in history:  # of an exact detector, which has no features
        words[history["feature"]] = history["words"][lang]
    return Odd(
        text=visible(str(told["text"][lang])[:TEXT]),
        features=tuple(
            (visible(str(one["words"][lang])), _number(one["seen"]), _range(one["usual"]), _range(one["peers"]))
            for one in features
        ),
        label=visible(str(words.get(history["feature"], history["feature"]))),
        columns=_columns(history["windows"][-MOST:], history["values"][-MOST:], clock),
    )


def _columns(windows: list[str], values: list[float], clock: Clock) -> tuple[Column, ...]:
    step, top = WIDTH / max(len(values), 1), max([*values, 1e-9])
    found = []
    for place, (window, value) in enumerate(zip(windows, values, strict=True)):
        height = max(round(float(value) / top * (HEIGHT - 4), 1), 1.0)
        at = clock.moment(datetime.fromisoformat(window).astimezone(UTC))
        title = f"{at.shown if at else ''}: {_number(value)}"
        last = place == len(values) - 1
        found.append(Column(round(place * step, 1), HEIGHT - height, round(step * 0.8, 1), height, title, last))
    return tuple(found)


def _number(value: float) -> str:
    return f"{float(value):,.0f}" if abs(value - round(value)) < 0.05 else f"{float(value):,.1f}"


def _range(pair: list[float] | None) -> str:
    if not pair:
        return "–"
    low, high = (_number(each) for each in pair)
    return low if low == high else f"{low} – {high}"
