"""The story of an attack on the page: in the order of time, over all systems, hostile names as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.report import Told, build
from flows.report.stories import lasting
from tests.sample_findings import START, finding, frame

HOSTILE = "<img src=x onerror=alert(1)>"
FOUND = frame(
    finding(**{"event.id": "f1", "rule.name": "VPN guessed", "soc.source": "fortigate", "user.name": [HOSTILE]}),
    finding(**{"event.id": "f2", "rule.name": "Backups removed", "soc.source": "veeam"}),
)
CHAIN = Told(
    {"en": f"Extortion {HOSTILE}", "vi": "Tống tiền"},
    START,
    timedelta(seconds=20),
    [("f1", START + timedelta(seconds=20)), ("f2", START + timedelta(hours=2)), ("gone", START)],
)
MISSED = Told({"en": "Unseen", "vi": "Không thấy"}, START, None, [])


def page(folder: Path, lang: str) -> str:
    generated = datetime(2026, 7, 23, tzinfo=UTC)
    out = folder / "r.html"
    return build(FOUND, out, title="R", stats={}, generated=generated, lang=lang, attacks=[CHAIN, MISSED]).read_text()


@pytest.mark.parametrize(
    ("lang", "name", "seen", "missed"),
    [("en", "Extortion", "found after 20 s", "missed"), ("vi", "Tống tiền", "phát hiện sau 20 giây", "bỏ sót")],
)
def test_a_story_tells_its_steps_in_order(tmp_path: Path, lang: str, name: str, seen: str, missed: str) -> None:
    text = page(tmp_path, lang)
    assert name in text
    assert seen in text
    assert missed in text
    story = text[text.index('id="stories"') : text.index('id="heatmap"')]
    assert story.index('href="#f-f1"') < story.index('href="#f-f2"')
    assert story.index(">fortigate<") < story.index(">veeam<")
    assert ("+2 giờ" if lang == "vi" else "+2 h") in story
    assert "gone" not in story
    assert "1 / 2" in story


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    assert "<img" not in page(tmp_path, "en")


def test_a_page_without_known_attacks_has_no_stories(tmp_path: Path) -> None:
    out = build(FOUND, tmp_path / "r.html", title="R", stats={}, generated=datetime(2026, 7, 23, tzinfo=UTC))
    assert 'id="stories"' not in out.read_text()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=4, seconds=30), "4 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_spans_read_as_people_say_them(span: timedelta, words: str) -> None:
    assert lasting(span, "en") == words
    vietnamese = {"s": "giây", "min": "phút", "h": "giờ", "d": "ngày"}
    assert lasting(span, "vi") == " ".join(vietnamese.get(word, word) for word in words.split())
