"""The report in a real browser. A probing page on the same loopback server looks into it through a frame."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest

from detectors.schema import FINDING
from flows.report import build
from flows.triage.sheet import Sheet, Table, write
from tests.browser.chrome import QUIET
from tests.sample_findings import finding, frame, province

FLAGS = (*QUIET, "--virtual-time-budget=5000")

PROBE = """<!doctype html><meta charset="utf-8"><pre id="result">nothing</pre>
<iframe id="frame" style="width:{width}px;height:800px;border:0" src="report.html{hash}"></iframe><script>
frame.onload = async () => {{
  const view = frame.contentWindow, page = frame.contentDocument;
  const find = (selector) => [...page.querySelectorAll(selector)];
  const shown = () => find(".finding").filter((finding) => !finding.hidden);
  const press = (key, on = page.body) =>
    on.dispatchEvent(new view.KeyboardEvent("keydown", {{ key, bubbles: true, cancelable: true }}));
  const type = (element, value) => {{
    element.value = value;
    element.dispatchEvent(new view.Event("input", {{ bubbles: true }}));
  }};
  const look = async () => {{ {look} }};
  document.getElementById("result").textContent = JSON.stringify(await look());
}};
</script>"""

Look = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing = "no Chromium found; install it (apt-get install chromium) to test the report in a browser"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def look(chromium: str, tmp_path: Path) -> Iterator[Look]:
    """Return a function that opens the report of some findings and gives back what a piece of script sees there."""
    site = tmp_path / "site"
    site.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()

    def seen(findings: pl.DataFrame, script: str, *, state: str = "", width: int = 1200) -> Any:
        made = datetime(2026, 7, 23, tzinfo=UTC)
        build(findings, site / "report.html", title="Báo cáo", stats={"events": 1284033}, generated=made)
        (site / "probe.html").write_text(PROBE.format(width=width, hash=state, look=script), "utf-8")
        url = f"http://127.0.0.1:{server.server_port}/probe.html"
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", url]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
        assert found, dom[:500]
        return json.loads(html.unescape(found[1]))

    yield seen
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing on stderr."""


def test_the_address_brings_a_filtered_view(look: Look) -> None:
    script = """
        const levels = shown().map((finding) => finding.dataset.level);
        return [levels, page.getElementById("shown").textContent, find(".finding").length];
    """
    levels, said, every = look(province(40), script, state="#level=high,critical")
    assert set(levels) == {"high", "critical"}
    assert said == str(len(levels))
    assert len(levels) == province(40).filter(pl.col("soc.level").is_in(["high", "critical"])).height
    assert every == 40


def test_filters_combine_and_the_address_follows(look: Look) -> None:
    script = """
        const form = page.getElementById("filters").elements;
        type(form.host, "cong-dvc-01");
        type(form.q, "sai 1–2");
        const both = shown().length;
        type(form.q, "no such word");
        const none = [shown().length, page.getElementById("nothing").hidden];
        const address = view.location.hash;
        press("Escape");
        return [both, none, address, shown().length, view.location.hash];
    """
    both, none, address, after, clear = look(province(40), script)
    text = pl.col("message").str.contains("sai") & pl.col("message").str.contains("1–2")
    wanted = province(40).filter(pl.col("host.name").list.contains("cong-dvc-01"), text)
    assert both == wanted.height > 0
    assert none == [0, False]
    assert "host=cong-dvc-01" in address
    assert (after, clear) == (40, "")


def test_a_technique_of_the_heatmap_is_a_filter(look: Look) -> None:
    script = """
        const cell = find("button.cell").find((cell) => cell.dataset.technique === "T1190");
        cell.click();
        const on = [shown().length, cell.getAttribute("aria-pressed"), cell.textContent.trim()];
        cell.click();
        return [on, shown().length];
    """
    (count, pressed, text), after = look(province(40), script)
    assert text.split() == ["T1190", str(count)]
    assert (pressed, after) == ("true", 40)


def test_the_keyboard_reaches_search_and_evidence_opens(look: Look) -> None:
    script = """
        press("/");
        const focus = page.activeElement.name;
        page.getElementById("open").click();
        const open = find(".finding[open]").length;
        page.getElementById("close").click();
        return [focus, open, find(".finding[open]").length, find("form:not([hidden])").length];
    """
    assert look(province(12), script) == ["q", 12, 0, 1]


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_page_never_scrolls_sideways(look: Look, width: int) -> None:
    wide = finding(
        message="m" * 3000,
        **{
            "event.id": "wide",
            "rule.name": "W" * 300,
            "host.name": ["h" * 200],
            "soc.attack": [f"{'t' * 90} / {'T' * 90}"],
            "soc.evidence": json.dumps([{"event.original": "x" * 5000, "fields": {"k" * 150: "v" * 900}}]),
        },
    )
    script = """
        page.getElementById("open").click();
        const root = page.documentElement;
        return [root.scrollWidth, root.clientWidth];
    """
    needed, there = look(pl.concat([province(10), frame(wide)]), script, width=width)
    assert needed <= there <= width


def test_hostile_content_runs_nothing(look: Look) -> None:
    attacks = [
        "<script>parent.pwned = pwned = 1</script>",
        "</script><script>parent.pwned = pwned = 1</script>",
        '"><img src=x onerror="parent.pwned = 1">',
        "</pre></table></details><svg onload=parent.pwned=1>",
        "javascript:parent.pwned=1",
    ]
    texts = [name for name, kind in FINDING.items() if kind == pl.String and name != "soc.level"]
    lists = [name for name, kind in FINDING.items() if kind == pl.List(pl.String)]
    rows = []
    for number, attack in enumerate(attacks):
        event = {"event.id": attack, "event.original": attack, "fields": {attack: attack}}
        row = dict.fromkeys(texts, f"{number}{attack}") | {name: [f"{attack} / {attack}"] for name in lists}
        rows.append(finding(**(row | {"soc.evidence": json.dumps([event])})))
    script = """
        page.getElementById("open").click();
        type(page.getElementById("filters").elements.q, "pwned");
        await new Promise((done) => setTimeout(done, 500));
        return [window.pwned ?? 0, view.pwned ?? 0, shown().length, find("img, a, iframe, script").length];
    """
    assert look(frame(*rows), script) == [0, 0, len(attacks), 1]


def test_the_policy_stops_a_script_that_is_not_the_page_s_own(look: Look) -> None:
    script = """
        const foreign = page.createElement("script");
        foreign.textContent = "parent.pwned = 1";
        page.body.append(foreign);
        const image = page.createElement("img");
        const blocked = new Promise((done) => page.addEventListener("securitypolicyviolation", () => done(true)));
        image.src = "probe.html";
        page.body.append(image);
        return [window.pwned ?? 0, await blocked];
    """
    assert look(province(2), script) == [0, True]


def test_a_sheet_of_hostile_words_is_printed_as_pdf(chromium: str, tmp_path: Path) -> None:
    assert chromium
    attacks = ["<script>document.title = 'pwned'</script>", "\x1b[2J\u202egpj.exe", "M" * 1_000_000, "=1+1"]
    table = Table("T", ["a"], [(each,) for each in attacks])
    sheet = Sheet("Báo cáo", "vi", attacks[0], [("n", attacks[1])], [table], attacks[2])
    for name in ("sheet.html", "sheet.pdf"):
        write(sheet, tmp_path / name)
    page, printed = (tmp_path / "sheet.html").read_text("utf-8"), (tmp_path / "sheet.pdf").read_bytes()
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert len(page) < 100_000
    assert printed.startswith(b"%PDF-")
    assert b"/JavaScript" not in printed
