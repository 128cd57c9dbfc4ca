"""The letter to a system's owner, in Vietnamese: what to switch on so that rules see what happens there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detectors.numbers import number
from flows.sections import Letter
from flows.sourcing.readiness import Readiness
from flows.terminal import visible

FIELDS: Final = 12  # asked for in one letter; more are done by nobody
LEVEL: Final = {
    "critical": "khẩn cấp",
    "high": "cao",
    "medium": "trung bình",
    "low": "thấp",
    "informational": "thông tin",
}
UNITS: Final = {"m": "phút", "h": "giờ", "d": "ngày", "w": "tuần", "y": "năm"}


def letter(ready: Readiness, writer: Letter, today: date, to: str = "") -> str:
    """Return the letter as text; what the settings leave open stands in it as `[…]`.

    Names of rules are texts of others: control characters in them are shown as escapes.
    """
    place = Environment(  # noqa: S701  a text, not HTML
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value, "\n") if isinstance(value, str) else value,
    )
    definition = ready.definition
    return place.get_template("letter.vi.txt").render(
        {
            "from": writer,
            "to": to,
            "today": today,
            "ready": ready,
            "lacks": ready.lacks[:FIELDS],
            "more": max(len(ready.lacks) - FIELDS, 0),
            "words": {"level": LEVEL},
            "levels": levels,
            "number": partial(number, lang="vi"),
            "retention": span(definition.retention),
            "silence": span(definition.expected.silence),
            "time": f"Hệ thống đang được hiểu là ghi giờ theo múi giờ {definition.zone} khi dòng nhật ký không tự nêu.",
        }
    )


def levels(counted: Mapping[str, int]) -> str:
    """Return `2 cao, 1 thấp`."""
    return ", ".join(f"{number(count, 'vi')} {LEVEL[level]}" for level, count in counted.items())


def span(text: str) -> str:
    """Return a span of a definition in Vietnamese: `30 phút`."""
    return f"{text[:-1]} {UNITS[text[-1]]}"
