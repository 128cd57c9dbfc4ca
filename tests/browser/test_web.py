"""The local page in a real browser."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import uvicorn

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from connectors.store_wanted import Wanted
from detectors.schema import FINDING
from flows.commands.web import _listening
from flows.web import Keys, Site, application
from tests.browser.chrome import Chrome
from tests.browser.test_report_page import chromium
from tests.sample_findings import START, finding, frame, province

__all__ = ["chromium"]

ATTACKS = [
    "<script>window.pwned = 1</script>",
    '"><img src=x onerror="window.pwned = 1">',
    "</pre></textarea></select><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    '=HYPERLINK("http://192.0.2.1")',
    "\x1b[2J\x1b]0;x\x07 \u202egpj.exe\u2066\x00",
    "{{ 7 * 7 }}{% raw %}",
    "M" * 1_000_000,
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = Store(tmp_path_factory.mktemp("web") / "store.sqlite")
    store.findings(province(120))
    store.findings(frame(*hostile()))
    bad = [row["event.id"] for row in hostile()]
    Cases(store).open("hostile incident", START, None, bad)
    for attack in ATTACKS:
        Cases(store).decide(Triage("hostile incident", START, attack[:5000], owner=attack, note=attack))
    Cases(store).open("i1", START, None, store.select(Wanted(text="Ransomware"), limit=2)["event.id"].to_list())
    site = Site(store, Keys("t0ken"), ZoneInfo("Asia/Ho_Chi_Minh"), "vi", "lan")
    server = uvicorn.Server(uvicorn.Config(application(site), log_level="error", lifespan="off"))
    listener = _listening("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()
    store.close()


def hostile() -> list[dict[str, Any]]:
    texts = [name for name, kind in FINDING.items() if kind == pl.String]
    lists = [name for name, kind in FINDING.items() if kind == pl.List(pl.String)]
    rows = []
    for number, attack in enumerate(ATTACKS):
        event = {"event.id": attack, "event.original": attack, "fields": {attack: attack}}
        small = attack[:500]
        row: dict[str, Any] = dict.fromkeys(texts, f"{number}{small}") | {name: [small] for name in lists}
        row |= {"rule.name": attack, "message": attack, "soc.group": attack, "host.name": [attack]}
        row |= {"event.id": f"hostile {number}/../{attack[:300]}", "soc.anomaly": None, "soc.follows": None}
        row |= {"soc.level": "critical", "soc.evidence": json.dumps([event])}
        rows.append(finding(**{**row, "@timestamp": START + timedelta(minutes=number)}))
    return rows


@pytest.fixture(scope="module")
def browser(chromium: str, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chrome = Chrome(chromium, tmp_path_factory.mktemp("profile"))
    chrome.size(1200, 800)
    chrome.open(f"{address}/?token=t0ken")
    yield chrome
    chrome.close()


def test_the_token_leaves_the_address_and_nothing_is_complained_about(browser: Chrome, address: str) -> None:
    browser.open(f"{address}/?token=t0ken&order=newest")
    assert browser.see("location.href") == f"{address}/?order=newest"
    assert browser.see("document.cookie") == ""  # scripts can't read it
    assert browser.see("document.querySelectorAll('a.row').length") == 50
    assert browser.see("getComputedStyle(document.querySelector('.row')).display") == "grid"  # the style is let in
    browser.open(f"{address}/?order=newest")
    refused = [each for each in browser.messages if "favicon" not in each and "404" not in each]
    assert not refused


def test_the_keyboard_does_it_all(browser: Chrome, address: str) -> None:
    browser.open(f"{address}/")
    browser.press("/")
    assert browser.see("document.activeElement.id") == "search"
    browser.write("vssadmin không có")
    browser.press("Escape")
    browser.open(f"{address}/?text=Ransomware&lang=en")
    before = browser.see("document.querySelectorAll('a.row').length")
    browser.press("j")
    browser.press("j")
    browser.press("k")
    first = browser.see("document.activeElement.href")
    assert first == browser.see("document.querySelector('a.row').href")
    browser.doing(lambda: browser.press("Enter"))
    assert browser.see("location.href") == first
    browser.press("a")
    browser.write("minh")
    browser.press("Escape")
    browser.press("m")
    browser.write("đã gọi <b>chủ máy</b>")
    browser.press("Escape")
    browser.press("s")
    browser.see("document.getElementById('status').value = 'closed'")
    browser.doing(lambda: browser.see("document.querySelector('.decide button').click()"))
    assert "why it is closed" in browser.see("document.querySelector('.problem').textContent")
    assert browser.see("document.getElementById('owner').value") == "minh"  # what was typed stays
    browser.see("document.getElementById('reason').value = 'true_positive'")
    browser.doing(lambda: browser.see("document.querySelector('.decide button').click()"))
    assert browser.see("document.querySelector('.problem')") is None
    said = browser.see("document.querySelector('.said').textContent")
    assert "true positive" in said
    assert "đã gọi <b>chủ máy</b>" in said
    browser.doing(lambda: browser.press("u"))
    browser.open(f"{address}/?text=Ransomware&status=new")
    assert browser.see("document.querySelectorAll('a.row').length") == before - 1
    browser.open(f"{address}/?owner=minh&lang=vi")
    assert browser.see("document.querySelector('.state.closed').textContent").startswith("đã đóng")


def test_an_incident_is_closed_by_keyboard(browser: Chrome, address: str) -> None:
    browser.open(f"{address}/incidents?lang=en")
    browser.press("j")
    browser.open(f"{address}/incident?id=i1")
    browser.press("a")
    browser.write("minh")
    browser.press("Escape")
    browser.press("s")
    assert browser.see("document.activeElement.id") == "status"
    browser.see("document.getElementById('status').value = 'closed'")
    browser.see("document.getElementById('reason').value = 'true_positive'")
    browser.doing(lambda: browser.see("document.querySelector('.decide button').click()"))
    assert browser.see("document.querySelector('.state.closed').textContent") == "closed: true positive"
    browser.doing(lambda: browser.press("u"))
    assert browser.see("location.pathname") == "/incidents"
    assert "i1" not in browser.see("document.querySelector('ol.rows').innerHTML").split()
    browser.open(f"{address}/?status=closed&owner=&lang=vi")
    assert browser.see("document.querySelectorAll('.state.closed').length") >= 2  # its findings


def test_pages_follow_each_other(browser: Chrome, address: str) -> None:
    browser.open(f"{address}/?order=newest")
    seen = set()
    for _ in range(3):
        seen |= set(browser.see("[...document.querySelectorAll('a.row')].map((row) => row.href)"))
        if browser.see("!!document.querySelector('a[rel=next]')"):
            browser.doing(lambda: browser.press("n"))
    assert len(seen) == 120 + len(ATTACKS)


@pytest.mark.parametrize("width", [360, 1200])
def test_hostile_words_run_nothing_and_stay_in_place(browser: Chrome, address: str, width: int) -> None:
    browser.size(width, 800)
    browser.open(f"{address}/?level=critical&order=newest")
    paths = browser.see("[...document.querySelectorAll('a.row')].map((row) => row.href)")
    bad = [path for path in paths if "hostile" in path]
    assert len(bad) == len(ATTACKS)
    incidents = [f"{address}/incidents?show=all", f"{address}/incident?id=hostile%20incident"]
    for path in [f"{address}/?level=critical", *incidents, *bad]:
        begin = time.monotonic()
        browser.open(path)
        assert time.monotonic() - begin < 20
        assert browser.see("window.pwned ?? 0") == 0
        assert browser.see("document.querySelectorAll('main img, main iframe, main script').length") == 0
        assert browser.see("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        shown = browser.see("document.body.innerText")
        assert not set("\x1b\x07\u202e\u2066") & set(shown)
        assert len(shown) < 300_000
        assert "built-in" not in shown  # a label that is no word but a method
    browser.size(1200, 800)


def test_pictures(browser: Chrome, address: str, request: pytest.FixtureRequest) -> None:
    folder = Path(str(request.config.rootpath)) / ".soc" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for lang in ("vi", "en"):
        for width in (1280, 390):
            browser.size(width, 900)
            browser.open(f"{address}/?text=ssh&lang={lang}")
            browser.picture(folder / f"list-{lang}-{width}.png")
            browser.doing(lambda: browser.see("document.querySelector('a.row').click()"))
            browser.picture(folder / f"finding-{lang}-{width}.png")
            for page, where in {"incident": "incident?id=i1", "incidents": "incidents?show=all"}.items():
                browser.open(f"{address}/{where}&lang={lang}")
                browser.picture(folder / f"{page}-{lang}-{width}.png")
            assert browser.see("document.documentElement.lang") == lang
    browser.size(1200, 800)
