"""The picture of an anomaly in the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.report.behaviour import HEIGHT, WIDTH, odd
from flows.report.words import Clock
from flows.table import HOME

CLOCK = Clock(HOME, "%d/%m")
LAST = datetime(2026, 4, 1, 17, tzinfo=UTC)
VALUES = [*[2.0] * 28, 0.0, 1234.5]


def _told(**more: Any) -> str:
    windows = [(LAST - timedelta(days=29 - day)).isoformat() for day in range(30)]
    words = {"en": "<b>exports", "vi": "lần xuất"}
    feature = {"feature": "exports", "words": words, "seen": 1234.5, "usual": [2, 3.5], "peers": None}
    history = {"feature": "exports", "windows": windows, "values": VALUES}
    return json.dumps({"text": words, "features": [feature], "history": history, **more})


def test_the_last_window_is_marked_beside_the_usual_range_and_its_days() -> None:
    drawn = odd(_told(), CLOCK, "en")
    assert drawn is not None
    assert [bar.strange for bar in drawn.columns] == [False] * 29 + [True]
    assert drawn.columns[-1].height > 50 > drawn.columns[0].height >= drawn.columns[28].height > 0
    assert all(bar.x + bar.width <= WIDTH and bar.y + bar.height == HEIGHT for bar in drawn.columns)
    assert drawn.ends == ("04/03", "02/04")
    assert drawn.band is not None
    assert drawn.band[0] + drawn.band[1] <= HEIGHT


def test_numbers_are_written_as_the_language_has_them() -> None:
    for lang, seen, usual in (("en", "1,234", "2–3.5"), ("vi", "1.234", "2–3,5")):
        drawn = odd(_told(), CLOCK, lang)
        assert drawn is not None
        assert drawn.features[0][1:] == (seen, usual, "–")
        assert drawn.most == seen
        assert drawn.columns[-1].title == f"02/04: {seen}"


def test_what_is_of_another_form_draws_nothing_and_no_window_an_empty_picture() -> None:
    assert odd("[1]", CLOCK, "en") is None
    assert odd(_told(history={"feature": "x", "windows": ["never"], "values": [1]}), CLOCK, "en") is None
    bare = odd(_told(features=[], history=None), CLOCK, "vi")
    assert bare is not None
    assert (bare.columns, bare.band, bare.ends) == ((), None, ("", ""))
