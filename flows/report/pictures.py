"""The report's pictures as numbers: where each bar of the timeline stands, how strong each cell of the heatmap is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from detectors.attack import TACTICS
from detectors.numbers import number
from detectors.schema import LEVELS
from flows.report.words import Clock

WIDE, NARROW = 960, 340  # drawn for a desk and for a phone
HEIGHT, FOOT, LEFT = 170, 22, 34
TICK = 90  # an hour's mark needs this much of the axis
BARS = 96  # at most; the step grows until they fit
STEPS = (1, 2, 3, 6, 12, 24, 48, 168, 720, 8760, 87600, 876000, 8760000)  # hours
MARKS = (1, 2, 3, 4, 6, 12, 24)  # bars from one mark of the axis to the next
LONGEST = timedelta(days=400)  # of a picture that shows every finding; beyond it strange clocks stay outside


@dataclass(frozen=True, slots=True)
class Bar:
    """One level's part of one bar."""

    level: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place along it, and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A stacked bar chart of findings over time."""

    width: int
    bars: tuple[Bar, ...]
    hours: tuple[Tick, ...]
    counts: tuple[Tick, ...]
    step: int  # hours per bar
    outside: int  # findings whose clock lies so far off that the picture would show nothing else


@dataclass(frozen=True, slots=True)
class Cell:
    """A technique under a tactic; `heat` is 1 (few findings) to 5 (most)."""

    technique: str
    count: int
    heat: int


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Tactics with their techniques, and the tactics that have none."""

    columns: tuple[tuple[str, tuple[Cell, ...]], ...]
    quiet: tuple[str, ...]


def timeline(findings: Sequence[tuple[datetime | None, str]], clock: Clock, lang: str, width: int = WIDE) -> Timeline:
    """Place findings (time, level) on a time axis."""
    known = sorted((time, level) for time, level in findings if time is not None)
    inside = _without_strays(known)
    if not inside:
        return Timeline(width, (), (), (), 1, len(findings))
    hour = timedelta(hours=1)
    begin = clock.local(inside[0][0]).replace(minute=0, second=0, microsecond=0)
    span = (inside[-1][0] - begin) // hour + 1
    step = next(step for step in STEPS if span <= step * BARS or step == STEPS[-1])
    slots = max(-(-span // step), 12)  # a single hour is a bar, not a wall
    counts = Counter(((time - begin) // (hour * step), level) for time, level in inside)
    peak = max(Counter(slot for slot, _ in counts.elements()).values())
    slot_width = (width - LEFT) / slots
    return Timeline(
        width,
        tuple(_bars(counts, slot_width, peak, begin, step)),
        tuple(_hours(begin, slots, slot_width, step)),
        tuple(Tick(_y(value, peak), number(value, lang)) for value in sorted({peak, peak // 2} - {0})),
        step,
        len(findings) - len(inside),
    )


def _without_strays(known: list[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    known = [(time, level) for time, level in known if 1900 < time.year < 3000]  # room for arithmetic at both ends
    if not known or known[-1][0] - known[0][0] <= LONGEST:
        return known
    middle = known[len(known) // 2][0]
    return [(time, level) for time, level in known if abs(time - middle) <= LONGEST / 2]


def _y(value: float, peak: int) -> float:
    return round((HEIGHT - FOOT) - value / peak * (HEIGHT - FOOT - 12), 1)


def _bars(counts: Counter[tuple[int, str]], width: float, peak: int, begin: datetime, step: int) -> list[Bar]:
    bars = []
    for slot in sorted({slot for slot, _ in counts}):
        below = 0
        start = begin.timestamp() + slot * step * 3600
        when = f"{datetime.fromtimestamp(start, begin.tzinfo):%d/%m %H:%M}"
        for level in reversed(LEVELS):  # the most severe stands on the ground, where lengths compare
            if count := counts[slot, level]:
                top, bottom = _y(below + count, peak), _y(below, peak)
                x = round(LEFT + slot * width + width * 0.08, 1)
                bars.append(Bar(level, x, top, round(width * 0.84, 1), round(bottom - top, 1), f"{when} · {count}"))
                below += count
    return bars


def _hours(begin: datetime, slots: int, width: float, step: int) -> list[Tick]:
    least = -(-TICK // width)  # bars that one mark covers
    every = next((every for every in MARKS if every >= least), int(least))
    first = -begin.hour % every if step == 1 else 0  # hours that people count in: 0, 6, 12, 18
    form = "%d/%m %H:%M" if step < 24 else "%d/%m/%Y"
    return [
        Tick(round(LEFT + slot * width, 1), f"{begin + timedelta(hours=slot * step):{form}}")
        for slot in range(first, slots, every)
        if (slots - slot) * width >= TICK * 0.7
    ]


def heatmap(findings: Sequence[Sequence[str]]) -> Heatmap:
    """Count findings per pair "tactic / technique" of ATT&CK; a pair without a technique counts for nothing here."""
    pairs: Counter[tuple[str, str]] = Counter()
    for attack in findings:
        for pair in dict.fromkeys(attack):
            tactic, _, technique = pair.partition(" / ")
            if technique:
                pairs[tactic.strip().lower().replace("_", "-").replace(" ", "-"), technique.strip()] += 1
    most = max(pairs.values(), default=1)
    named = {tactic for tactic, _ in pairs}
    order = [*(t for t in TACTICS if t in named), *sorted(named - set(TACTICS))]
    columns = tuple((tactic, tuple(_cells(tactic, pairs, most))) for tactic in order)
    return Heatmap(columns, tuple(t for t in TACTICS if t not in named))


def _cells(tactic: str, pairs: Counter[tuple[str, str]], most: int) -> list[Cell]:
    mine = sorted((-count, name) for (owner, name), count in pairs.items() if owner == tactic)
    return [Cell(name, -less, 1 + round(4 * log(-less) / log(most)) if most > 1 else 3) for less, name in mine]
