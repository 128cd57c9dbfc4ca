"""A line chart as SVG: a few measured points per line, each with its figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM, INSET = 64, 150, 70, 56, 28
COLOURS = ("#1f5f99", "#b4571f", "#4c7a34")
INK, FAINT, GRID = "#222222", "#666666", "#e2e2e2"
HALO = 'stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'  # over lines
MARKS = 5  # on the vertical axis, about
ROOM = 14  # of a line of text

Points = Sequence[tuple[float, float]]
Place = tuple[float, float]  # in pixels


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to pixels, from `low` at `start` to `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """Return where a value stands."""
        low, high, value = (log10(each) if self.logarithmic else each for each in (self.low, self.high, value))
        return round(self.start + (value - low) / ((high - low) or 1) * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one pair of axes; an axis begins at zero, or is logarithmic."""

    title: str
    across: str
    upward: str
    lines: Mapping[str, Points]
    log_across: bool = False
    log_upward: bool = False

    def svg(self) -> str:
        """Return the picture: the same on light and dark pages, without script or style sheet."""
        x, y = self._across(), self._upward()
        parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
        parts += [_text(LEFT, 26, self.title, size=15, fill=INK), _text(LEFT, 46, self.upward)]
        parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.across, anchor="middle"))
        parts += self._axes(x, y)
        lines = [[(x(a), y(b)) for a, b in points] for points in self.lines.values()]
        for line, colour in zip(lines, COLOURS, strict=False):
            parts += _line(line, colour)
        dots = {place for line in lines for place in line}
        for line, points, colour in zip(lines, self.lines.values(), COLOURS, strict=False):
            parts += [_figure(place, figure(b), dots, colour) for place, (_, b) in zip(line, points, strict=True)]
        parts += _names([line[-1] for line in lines], list(self.lines))
        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">'
        return "\n".join([head, f"<title>{escape(self.title)}</title>", *parts, "</svg>", ""])

    def _across(self) -> Scale:
        values = [a for points in self.lines.values() for a, _ in points]
        return Scale(min(values) if self.log_across else 0, max(values), LEFT + INSET, WIDTH - RIGHT, self.log_across)

    def _upward(self) -> Scale:
        values = [b for points in self.lines.values() for _, b in points]
        low, high = (10 ** floor(log10(min(values))), 10 ** ceil(log10(max(values)))) if self.log_upward else (0, 0)
        step = _step(max(values))
        return Scale(low, high or step * ceil(max(values) / step), HEIGHT - BOTTOM, TOP, self.log_upward)

    def _axes(self, x: Scale, y: Scale) -> Iterator[str]:
        for value in _marks(y):
            at = y(value)
            yield f'<line x1="{LEFT}" y1="{at}" x2="{WIDTH - RIGHT + 16}" y2="{at}" stroke="{GRID}"/>'
            yield _text(LEFT - 8, at + 4, figure(value), anchor="end")
        for value in sorted({a for points in self.lines.values() for a, _ in points}):
            yield _text(x(value), HEIGHT - BOTTOM + 24, figure(value), anchor="middle")


def figure(value: float) -> str:
    """Return a value in three digits or so: 0.45, 12, 3.75 k, 1 M."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def _marks(scale: Scale) -> Iterator[float]:
    value, step = scale.low, _step(scale.high)
    while value <= scale.high * 1.001:
        yield value
        value = value * 10 if scale.logarithmic else value + step


def _step(most: float) -> float:
    """Return the round number that goes into the largest value about as often as there are marks."""
    rough = most / MARKS
    unit: float = 10 ** floor(log10(rough))
    return next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough)


def _line(places: Sequence[Place], colour: str) -> Iterator[str]:
    path = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in places)


def _figure(place: Place, said: str, dots: Iterable[Place], colour: str) -> str:
    """Write a point's figure above it, or below where another line's point is in the way."""
    x, y = place
    crowded = any(other == x and 0 < y - above < 2 * ROOM for other, above in dots)
    return _text(x, y + ROOM + 2 if crowded else y - 9, said, anchor="middle", fill=colour)


def _names(ends: Sequence[Place], names: Sequence[str]) -> Iterator[str]:
    """Write each line's name behind its end, one below the other."""
    lowest = 0.0
    for (x, y), name, colour in sorted(zip(ends, names, COLOURS, strict=False), key=lambda each: each[0][1]):
        lowest = max(y + 4, lowest + ROOM)
        yield _text(x + 26, lowest, name, fill=colour)


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = FAINT, size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-size="{size}" {HALO}>{escape(text)}</text>'
