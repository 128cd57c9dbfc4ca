"""Runs of the pipeline without servers: files in, embedded store out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.store import Store
from detectors.errors import UsageError
from flows import running
from flows.cli import main
from flows.settings import Settings
from tests.flows.places import laid_out

LINE = "Mar  9 08:{:02d}:01 web01 sshd[71]: Failed password for root from 203.0.113.9 port 22 ssh2\n"
RULE = """title: Root guessed
id: 00000000-0000-4000-8000-000000000001
level: high
logsource: {product: linux, service: sshd}
detection:
  keywords: ['Failed password for root']
  condition: keywords
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = laid_out(tmp_path)
    (tmp_path / "logs" / "auth.log").write_text("".join(map(LINE.format, range(30))))
    (tmp_path / "rules" / "r.yml").write_text(RULE)
    return made


def test_a_run_twice_finds_nothing_new(settings: Settings) -> None:
    first, second = (running.run(settings, str).statistics for _ in range(2))
    assert (first.events, first.findings, first.known_findings) == (30, 1, 0)
    assert (second.events, second.findings, second.known_findings) == (30, 0, 1)


def test_two_runs_of_the_same_sources_exclude_each_other(settings: Settings) -> None:
    code = (
        "import sys, pathlib; from flows import running; from flows.settings import Settings\n"
        "s = Settings.model_validate_json(sys.stdin.readline())\n"
        "with running._alone(s): print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(settings.model_dump_json() + "\n")
        other.stdin.flush()
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another run reads the same sources"):
            running.run(settings, str)
        other.kill()  # the kernel lets the lock go
    assert running.run(settings, str).statistics.findings == 1


def test_nothing_to_read_is_told(settings: Settings) -> None:
    with pytest.raises(UsageError, match="nothing to read"):
        running.run(settings.model_copy(update={"inputs": []}), str)


def test_no_flow_is_started_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "flows.detect", None)  # its import would fail
    assert main(["run", "--once"]) == 2
    assert "nothing to read; set `kafka.servers` or `inputs` in soc.yml" in capsys.readouterr().err


def test_the_summary_names_what_was_found_and_hides_markup(settings: Settings) -> None:
    (settings.rules[0] / "r.yml").write_text(RULE.replace("Root guessed", "'<b>Root | guessed</b>'"))
    text = running.summary(running.run(settings, str))
    assert "**30 events**" in text
    assert "| &lt;b>Root \\| guessed&lt;/b> | high | 30 |" in text


def test_dead_letters_of_files_go_to_the_store(settings: Settings) -> None:
    with (settings.inputs[0] / "auth.log").open("a") as log:
        log.write("x" * 2_000_000 + "\n")
    running.run(settings, str)
    store = Store(settings.store)
    assert store.counts()["dead"] == 1
    store.close()
