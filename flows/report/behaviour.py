"""An anomaly as the report shows it: its text in the report's language, its features, and the entity's last windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from detectors.anomaly.explain import spread
from detectors.numbers import number
from flows.report.words import Clock
from flows.terminal import visible

WIDTH: Final = 720
HEIGHT: Final = 90
HEADROOM: Final = 4  # above the highest bar
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
    ends: tuple[str, str]  # times of the first window and of the last
    most: str  # the highest value
    band: tuple[float, float] | None  # y and height of the usual range
    command: str  # that shows the events behind it
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
    times = [_shown(window, clock) for window in history["windows"][-MOST:]]
    values = [float(value) for value in history["values"][-MOST:]]
    return Odd(
        text=visible(str(told["text"][lang])[:TEXT]),
        features=tuple(_feature(one, lang) for one in features),
        label=visible(str(words.get(history["feature"], history["feature"]))),
        columns=_columns(times, values, lang),
        ends=(times[0], times[-1]) if times else ("", ""),
        most=number(max(values, default=0.0), lang),
        band=_band([one["usual"] for one in features if one["feature"] == history["feature"]], values),
        command=visible(str(told.get("command") or "")[:TEXT]),
    )


def _feature(one: dict[str, Any], lang: str) -> tuple[str, str, str, str]:
    usual, peers = (spread(pair, lang) if pair else "–" for pair in (one["usual"], one["peers"]))
    return visible(str(one["words"][lang])), number(float(one["seen"]), lang), usual, peers


def _columns(times: list[str], values: list[float], lang: str) -> tuple[Column, ...]:
    step = WIDTH / max(len(values), 1)
    found = []
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        height = max(_high(value, values), 1.0)
        last = place == len(values) - 1
        title = f"{time}: {number(value, lang)}"
        found.append(Column(round(place * step, 1), HEIGHT - height, round(step * 0.8, 1), height, title, last))
    return tuple(found)


def _band(usual: list[list[float]], values: list[float]) -> tuple[float, float] | None:
    """Return where the usual range of the feature lies that is shown, at least a line wide."""
    if not usual or not values:
        return None
    low, high = (min(_high(each, values), HEIGHT) for each in usual[0])
    return HEIGHT - max(high, 1.0), max(high - low, 1.0)


def _high(value: float, values: list[float]) -> float:
    return round(float(value) / max([*values, 1e-9]) * (HEIGHT - HEADROOM), 1)


def _shown(window: str, clock: Clock) -> str:
    at = clock.moment(datetime.fromisoformat(window).astimezone(UTC))
    return at.shown if at else ""
