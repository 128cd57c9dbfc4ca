from __future__ import annotations

import base64
import hashlib
import json
import re
import string
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from detectors.attack import TACTICS
from detectors.errors import UsageError
from detectors.meta import Meta
from detectors.questions import decide
from detectors.schema import FINDING
from flows.report import build
from flows.report.cards import EVENTS, FIELDS
from flows.report.words import LANGUAGES, catalogue
from tests.sample_findings import START, finding, frame, province

MADE = datetime(2026, 7, 23, 1, tzinfo=UTC)
STATS = {
    "events": 1284033,
    "rules_loaded": 3754,
    "rules_failed": 0,
    "parse_failures": 17,
    "seconds": 3.2,
    "matches": {},
}


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(folder: Path, findings: pl.DataFrame, **changes: Any) -> Page:
    return Page(source(folder, findings, **changes))


def source(folder: Path, findings: pl.DataFrame, **changes: Any) -> str:
    settings: dict[str, Any] = {"title": "Report", "stats": STATS, "generated": MADE} | changes
    return build(findings, folder / "report.html", **settings).read_text("utf-8")


def evidence(*events: dict[str, Any]) -> str:
    return json.dumps(events, ensure_ascii=False)


def test_the_page_loads_nothing_and_runs_its_own_script_only(tmp_path: Path) -> None:
    text = source(tmp_path, province(5))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    read = Page(text)
    assert not [e for e in read.elements if {"src", "href", "srcset", "action", "data"} & e[1].keys()]
    assert not re.search(r"url\(|@import", text)
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]


@pytest.mark.parametrize(("lang", "events", "members"), [("en", "1,284,033", "×1,234"), ("vi", "1.284.033", "×1.234")])
def test_numbers_are_written_as_the_language_does(tmp_path: Path, lang: str, events: str, members: str) -> None:
    text = page(tmp_path, frame(finding(**{"soc.count": 1234})), lang=lang).text
    assert events in text
    assert members in text


def test_the_same_findings_give_the_same_page(tmp_path: Path) -> None:
    assert source(tmp_path, province(30)) == source(tmp_path, province(30).sample(fraction=1, shuffle=True, seed=3))


def test_a_finding_tells_who_what_where_when_why_and_what_to_check(tmp_path: Path) -> None:
    told = {
        "user.name": ["lan.nguyen"],
        "source.ip": ["203.0.113.7"],
        "process.command_line": ["whoami /all"],
        "host.name": ["ubnd-dc01"],
        "message": "Tài khoản lan.nguyen chạy whoami",
        "rule.name": "Discovery",
        "rule.description": "Attackers look around.",
        "soc.falsepositives": ["Kiểm thử có đăng ký"],
        "soc.runbook": "1. Hỏi chủ máy.\n2. Cô lập.",
        "soc.attack": ["discovery / T1033"],
        "soc.count": 1234,
        "soc.evidence": evidence(
            {"event.id": "e1", "event.original": "raw line", "fields": {"CommandLine": "whoami /all"}}
        ),
    }
    text = page(tmp_path, frame(finding(**told))).text
    for part in (
        "lan.nguyen",
        "203.0.113.7",
        "whoami /all",
        "ubnd-dc01",
        "Attackers look around.",
        "Kiểm thử có đăng ký",
    ):
        assert part in text
    for part in ("Tài khoản lan.nguyen chạy whoami", "2. Cô lập.", "T1033", "1,234", "raw line", "CommandLine", "e1"):
        assert part in text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</pre></details><h1>gone",
        "javascript:alert(1)",
        "{{7*7}}{% include 'x' %}",
        "=cmd|' /C calc'!A0",
        "&lt;b&gt;",
    ],
)
def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path, hostile: str) -> None:
    texts = {name: hostile for name, kind in FINDING.items() if kind == pl.String and name != "soc.level"}
    lists = {name: [hostile] for name, kind in FINDING.items() if kind == pl.List(pl.String)}
    lists["soc.attack"] = [f"{hostile} / {hostile}"]
    event = {"event.id": hostile, "@timestamp": hostile, "event.original": hostile, "fields": {hostile: [hostile]}}
    row = finding(**(texts | lists | {"soc.evidence": evidence(event)}))
    read = page(tmp_path, frame(row), title=hostile)
    assert len(read.all("script")) == 1
    assert not {tag for tag, _ in read.elements} & {"img", "iframe", "object", "a", "link", "base"}
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert hostile in read.text
    assert len(read.all("h1")) == 1


def test_the_script_can_not_be_closed_by_data(tmp_path: Path) -> None:
    row = finding(**{"host.name": ["</script><b>", "q\"'"], "soc.attack": ["x / </script>"]})
    (details,) = page(tmp_path, frame(row)).all("details")
    assert json.loads(details["data-hosts"] or "") == ["</script><b>", "q\"'"]
    assert json.loads(details["data-techniques"] or "") == ["</script>"]


def test_hidden_characters_are_shown(tmp_path: Path) -> None:
    row = finding(
        message="invoice\u202egpj.exe \x1b[31m\x00", **{"soc.evidence": evidence({"event.original": "a\n\tb\u2066"})}
    )
    text = source(tmp_path, frame(row))
    assert r"invoice\u202egpj.exe \x1b[31m\x00" in text
    assert "a\n\tb\\u2066" in text
    assert not set("\x00\x1b\u202e\u2066") & set(text)


def test_a_huge_field_is_cut_with_a_note(tmp_path: Path) -> None:
    row = finding(message="m" * 1_000_000, **{"soc.evidence": evidence({"event.original": "e" * 1_000_000})})
    read = page(tmp_path, frame(row))
    assert "998,000 characters more" in read.text
    assert "994,000 characters more" in read.text
    assert len(read.text) < 100_000


def test_many_events_and_fields_are_counted_where_they_are_cut(tmp_path: Path) -> None:
    events = [{"event.original": f"line {n}", "fields": {f"f{i:03}": i for i in range(100)}} for n in range(9)]
    text = page(tmp_path, frame(finding(**{"soc.evidence": evidence(*events)}))).text
    assert f"{9 - EVENTS} more events not shown" in text
    assert text.count(f"{100 - FIELDS} more fields not shown") == EVENTS


def test_evidence_beyond_the_page_s_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.report.page.EVIDENCE_BYTES", 1000)
    text = evidence({"event.original": "e" * 900})
    rows = [
        finding(**{"event.id": f"id{n}", "soc.level": level, "soc.evidence": text})
        for n, level in enumerate(["low", "critical", "high"])
    ]
    read = page(tmp_path, frame(*rows)).text
    assert read.count("Evidence left out") == 1
    assert re.search(r"soc findings show\s+id0", read)  # the least severe goes without


def test_matches_that_came_with_later_batches_count(tmp_path: Path) -> None:
    found = frame(finding(**{"soc.count": 1234})).with_columns(pl.lit(98765).alias("soc.matches"))
    text = page(tmp_path, found).text
    assert "×98,765" in text
    assert "1,234" not in text


def test_findings_beyond_the_page_s_number_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.report.page.FINDINGS", 10)
    read = page(tmp_path, province(25))
    assert len(read.all("details")) == 10
    assert "15 findings are not on this page" in read.text


def test_the_page_stays_bounded_with_5000_findings(tmp_path: Path) -> None:
    build(province(5000), tmp_path / "r.html", title="x", stats=STATS, generated=MADE)
    assert (tmp_path / "r.html").stat().st_size < 25_000_000


DEEP = '[{"fields": {"a": ' + "[" * 500 + "]" * 500 + "}}]"


@pytest.mark.parametrize(
    "text", ["", "not json", "null", "[1, null, [2]]", '{"a": 1}', '[{"fields": 3, "@timestamp": 5}]', DEEP, "[" * 5000]
)
def test_evidence_of_any_shape_costs_nothing_else(tmp_path: Path, text: str) -> None:
    assert len(page(tmp_path, frame(finding(**{"soc.evidence": text}))).all("details")) == 1


def test_times_are_local_with_utc_beside(tmp_path: Path) -> None:
    read = page(tmp_path, frame(finding(**{"event.start": START})), lang="vi")
    assert {"datetime": "2026-07-20T17:00:00+00:00", "title": "2026-07-20 17:00:00 UTC"} in read.all("time")
    assert "21/07/2026 00:00:00" in read.text


def test_times_at_the_edge_of_the_calendar_are_shown(tmp_path: Path) -> None:
    beyond = pl.Series([253402300800000000], dtype=pl.Int64).cast(FINDING["@timestamp"])
    edges = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC), START]
    raw = evidence({"@timestamp": "0001-01-01T00:00:00+07:00", "event.original": "x"})
    rows = [finding(**{"event.id": str(t), "@timestamp": t, "soc.evidence": raw}) for t in edges]
    odd = frame(finding()).with_columns(beyond.alias("@timestamp"))
    text = page(tmp_path, pl.concat([frame(*rows), odd])).text
    assert "time unknown" in text
    assert "9999-12-31 23:00:00" in text
    assert "3 findings lie outside this picture" in text


@pytest.mark.parametrize(("lang", "means"), [("en", "yes → real"), ("vi", "có → là thật")])
def test_a_finding_asks_what_decides_it_and_where_to_look(tmp_path: Path, lang: str, means: str) -> None:
    hostile = "<b>x</b>' ; --since"
    decisions = decide(Meta("r", "Odd", asks=("more_by_the_account",)), lambda _: [hostile], START, START)
    text = page(tmp_path, frame(finding(**{"soc.decisions": decisions})), lang=lang).text
    assert means in text
    assert "<b>x</b>" in text  # as text, not as markup: the parser gives it back whole
    assert "soc hunt --where" in text
    assert "MV_EXPAND user.name" in text
    assert "user.name : (" in text


def test_findings_speak_the_language_of_the_page(tmp_path: Path) -> None:
    harmless = {"soc.falsepositives": ["A tested backup"], "soc.harmless.vi": ["Sao lưu thử"]}
    words = {"soc.title.vi": "Điều <lạ>", "soc.message.vi": "Thấy điều lạ", "message": "Something odd"}
    spoken = finding(**words, **harmless, **{"soc.attack": ["impact / T1490"]})
    silent = finding(**{"event.id": "other", "message": "Said in English only"})
    text = page(tmp_path, frame(spoken, silent), lang="vi").text
    assert "Điều <lạ>" in text
    assert "Thấy điều lạ" in text
    assert "Something odd" not in text
    assert "Sao lưu thử" in text
    assert "A tested backup" not in text
    assert "Gây tác động, phá hoại / T1490" in text
    assert "Said in English only" in text
    english = page(tmp_path, frame(spoken)).text
    assert "Something odd" in english
    assert "A tested backup" in english
    assert "Impact / T1490" in english


def test_what_a_rule_is_about_is_told_in_the_language_of_the_page(tmp_path: Path) -> None:
    both = "[vi] Điều gì: xoá bản sao lưu.\n\n[en] What: backups are deleted."
    rule = finding(**{"soc.runbook": both, "rule.description": "Backups are gone."})
    assert "Backups are gone." not in page(tmp_path, frame(rule), lang="vi").text  # the steps tell it
    assert "Backups are gone." in page(tmp_path, frame(rule)).text
    foreign = finding(**{"soc.runbook": "Ask the owner.", "rule.description": "Backups are gone."})
    assert "Backups are gone." in page(tmp_path, frame(foreign), lang="vi").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_speaks_one_language(tmp_path: Path, lang: str) -> None:
    read = page(tmp_path, province(5), lang=lang)
    assert read.all("html") == [{"lang": lang}]
    for other in set(LANGUAGES) - {lang}:
        assert catalogue()["runbook"][other] not in read.text
    assert catalogue()["runbook"][lang] in read.text


def test_every_label_has_every_language_and_is_used() -> None:
    folder = Path(__file__).parents[2] / "flows" / "report"
    used = "".join((folder / name).read_text("utf-8") for name in ("page.html.j2", "page.py", "cards.py", "stories.py"))
    for label, texts in catalogue().items():
        assert texts.keys() == set(LANGUAGES), label
        assert all(text.strip() for text in texts.values()), label
        known = label.startswith(("level_", "tactic_")) or re.search(rf't\.{label}\b|"{label}"|\b{label}="', used)
        assert known, f"{label} is used nowhere"
    assert {f"tactic_{tactic}" for tactic in TACTICS} <= catalogue().keys()


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose one of en, vi"):
        page(tmp_path, province(1), lang="fr")


def test_no_findings_is_a_page_too(tmp_path: Path) -> None:
    text = page(tmp_path, FINDING.to_frame(), stats={}).text
    assert "No findings in this period." in text
    assert "No finding names an ATT&CK technique." in text


def test_what_exceptions_and_maintenance_kept_back_is_counted(tmp_path: Path) -> None:
    kept_back = page(tmp_path, FINDING.to_frame(), stats={"excepted": 12, "silenced_matches": 0}).text
    assert "matches taken by exceptions" in kept_back
    assert "matches without a finding" not in kept_back


def _luminance(colour: str) -> float:
    digits = "".join(c * 2 for c in colour) if len(colour) == 3 else colour  # #fff is #ffffff
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_are_readable_in_both_themes(theme: int) -> None:
    """WCAG AA: 4.5 for text."""
    css = (Path(__file__).parents[2] / "flows/report/page.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]
    colours = dict(re.findall(rf"--(\w+): #([{string.hexdigits}]+)", block))
    for level in ("critical", "high", "medium", "low", "informational"):
        assert _contrast(colours[level], "fff") >= 4.5, level
    for name in ("text", "soft", "bad", "good"):
        for ground in ("card", "page", "code"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    light = {"h1": "10202f", "h2": "10202f", "h3": "10202f", "h4": "fff", "h5": "fff"}
    dark = {"h1": "f2f6fa", "h2": "f2f6fa", "h3": "f2f6fa", "h4": "fff", "h5": "0c1a28"}
    for cell, ink in (light, dark)[theme].items():
        assert _contrast(colours[cell], ink) >= 4.5, cell
