"""Rules that change while a run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.multiline import carried
from detectors.contracts import Batch
from detectors.errors import UsageError
from flows import reloading, running
from flows.reloading import Watched
from flows.sections import Enriching
from flows.settings import Settings
from tests.flows.places import laid_out

RULE = """title: {title}
id: 00000000-0000-4000-8000-00000000000{number}
level: high
logsource: {{product: linux, service: sshd}}
detection: {{keywords: ['{text}'], condition: keywords}}
"""
RULE_ID = "00000000-0000-4000-8000-000000000001"
LINE = "Mar  9 08:{:02d}:01 web01 sshd[71]: Failed password for root from 203.0.113.{} port 22 ssh2\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "INTERVAL", 0.0)
    monkeypatch.setattr(reloading, "WRITTEN", 0.0)
    monkeypatch.setattr(reloading, "_former", {})


def write(folder: Path, number: int, text: str, title: str = "A rule") -> Path:
    path = folder / f"r{number}.yml"
    path.write_text(RULE.format(number=number, title=title, text=text))
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = laid_out(tmp_path)
    for number in range(3):
        (tmp_path / "logs" / f"auth{number}.log").write_text(
            "".join(LINE.format(minute, number) for minute in range(30))
        )
    write(tmp_path / "rules", 1, "Failed password for root")
    return made


def titles(watched: Watched) -> list[str]:
    return [rule.meta.title for rule in watched.parts.rules.rules]


def test_nothing_is_read_again_while_nothing_changes(settings: Settings) -> None:
    watched = Watched(settings, str)
    assert not watched.changed()


def test_new_changed_and_removed_files_are_seen(settings: Settings) -> None:
    told: list[str] = []
    watched = Watched(settings, told.append)
    write(settings.rules[0], 1, "Accepted password", title="Changed")
    write(settings.rules[0], 2, "Accepted publickey", title="New")
    assert watched.changed()
    assert titles(watched) == ["Changed", "New"]
    assert told == ["rules read again: 1 added, 1 changed, 0 gone, 0 broken (former version in use)"]
    (settings.rules[0] / "r1.yml").unlink()
    assert watched.changed()
    assert titles(watched) == ["New"]


def test_a_broken_version_keeps_the_former_one_and_says_so_once(settings: Settings) -> None:
    told: list[str] = []
    watched = Watched(settings, told.append)
    broken = settings.rules[0] / "r1.yml"
    broken.write_text("title: [\n")
    assert watched.changed()
    assert titles(watched) == ["A rule"]
    assert any(f"{broken}:2:1" in line for line in told)
    assert any("the former version of `A rule`" in line for line in told)
    count = len(told)
    assert not watched.changed()
    assert len(told) == count
    write(settings.rules[0], 1, "x", title="Mended")
    assert watched.changed()
    assert titles(watched) == ["Mended"]


CORRELATION = """title: Guessing
id: 00000000-0000-4000-8000-0000000000c1
correlation:
  type: event_count
  rules: 00000000-0000-4000-8000-000000000001
  timespan: 1h
  condition: {gte: 5}
"""
EXCEPTION = """title: Known scanner
id: 00000000-0000-4000-8000-0000000000f1
logsource: {product: linux}
filter: {rules: any, scanner: {source.ip: 203.0.113.1}, condition: not scanner}
"""


def test_correlations_and_exceptions_keep_their_former_version_too(settings: Settings) -> None:
    told: list[str] = []
    (folder,) = settings.rules
    (folder / "c.yml").write_text(CORRELATION)
    (folder / "e.yml").write_text(EXCEPTION)
    watched = Watched(settings, told.append)
    before = watched.parts.rules
    assert (len(before.correlations), len(before.filters)) == (1, 1)
    (folder / "c.yml").write_text(CORRELATION.replace("gte: 5", "gte: five"))
    (folder / "e.yml").write_text(EXCEPTION.replace("not scanner", "not scaner"))
    assert watched.changed()
    assert watched.parts.rules.correlations == before.correlations
    assert watched.parts.rules.filters == before.filters
    assert "the former version of `Guessing` (00000000-0000-4000-8000-0000000000c1) stays in use" in told
    assert told[-1] == "rules read again: 0 added, 0 changed, 0 gone, 2 broken (former version in use)"
    (folder / "r1.yml").unlink()  # and what it counts goes
    assert watched.changed()
    assert not watched.parts.rules.correlations


def test_an_exception_from_a_broken_rule_holds_for_its_former_version(settings: Settings) -> None:
    told: list[str] = []
    (folder,) = settings.rules
    (folder / "e.yml").write_text(EXCEPTION.replace("rules: any", f"rules: [{RULE_ID}]"))
    watched = Watched(settings, told.append)
    (folder / "r1.yml").write_text("title: A rule\nid: [\n")
    assert watched.changed()
    assert not [line for line in told if "e.yml" in line], told
    assert [rule.id for rule in watched.parts.rules.rules] == [RULE_ID]
    (folder / "r1.yml").unlink()  # gone is gone
    assert watched.changed()
    assert [line for line in told if "e.yml:" in line and "there is no rule" in line], told


def test_the_next_run_of_a_process_keeps_it_too(settings: Settings) -> None:
    Watched(settings, str)
    (settings.rules[0] / "r1.yml").write_text("title: [\n")
    told: list[str] = []
    assert titles(Watched(settings, told.append)) == ["A rule"]
    assert any(line.startswith("left out: ") for line in told)


def test_lists_and_definitions_that_cannot_be_read_any_more_stay_what_they_were(
    settings: Settings, tmp_path: Path
) -> None:
    (listed := tmp_path / "lists").mkdir()
    (listed / "names.txt").write_text("root\n")
    (sources := tmp_path / "sources").mkdir()
    (sources / "own.yml").write_text("name: own_portal\ntitle: Portal\nformat: keyvalue\n")
    write(settings.rules[0], 1, "%names%").write_text(
        RULE.format(number=1, title="A rule", text="x").replace("keywords: ['x']", "keywords: {user|expand: '%names%'}")
    )
    settings = settings.model_copy(update={"lists": listed, "sources": [sources], "maintenance": tmp_path / "m.yml"})
    (tmp_path / "m.yml").write_text("maintenance: []\n")
    first = Watched(settings, str)
    (listed / "names.txt").write_bytes(b"\xff\xfe\xff")
    (sources / "own.yml").write_text("name: own_portal\ntitle: [\n")
    told: list[str] = []
    for watched in (first, Watched(settings, told.append), Watched(settings, told.append)):
        watched.changed()
        assert not watched.parts.rules.rules[0].waits_for
        assert "own_portal" in watched.parts.definitions
    assert [line for line in told if "names.txt" in line]
    assert [line for line in told if "own.yml:" in line], told
    assert "what was read before stays in use" in told
    (tmp_path / "m.yml").unlink()
    Watched(settings, told.append)
    assert [line for line in told if "m.yml" in line]
    (tmp_path / "m.yml").write_text("maintenance: []\n")
    (listed / "names.txt").write_text("lan\n")
    (sources / "own.yml").write_text("name: own_page\ntitle: Page\nformat: keyvalue\n")
    assert watched.changed()
    assert "own_page" in watched.parts.definitions
    assert watched.parts.rules.rules[0].semantics != first.parts.rules.rules[0].semantics


def test_settings_that_break_stay_what_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "_settings", {})
    (file := tmp_path / "soc.yml").write_text("late: soon\n")
    told: list[str] = []
    with pytest.raises(UsageError):
        reloading.current(file, told.append)
    file.write_text("late: 5\n")
    assert reloading.current(file, told.append).late == 5
    file.write_text("late: soon\n")
    assert [reloading.current(file, told.append).late for _ in range(2)] == [5, 5]
    (line,) = told
    assert line.startswith("the former settings stay in use: ")
    assert line.endswith(f"{file}:1:1: late: 'soon' is no whole number; write a number such as 5")
    file.write_text("late: 6\n")
    assert reloading.current(file, told.append).late == 6


def test_a_maintenance_window_that_is_wrong_is_told(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "maintenance.yml"
    file.write_text(
        "maintenance:\n  - {name: Patches, owner: DC, begin: 2026-03-09T07:00, end: 2026-03-09T08:00, hosts: [a]}\n"
    )
    told: list[str] = []
    watched = Watched(settings.model_copy(update={"maintenance": file}), told.append)
    assert (len(watched.parts.calendar.windows), told) == (1, [])
    file.write_text("maintenance:\n  - {name: Patches}\n")
    assert watched.changed()
    assert not watched.parts.calendar.windows  # what it would mute is told
    assert [line for line in told if line.startswith(f"left out: {file}:2:")]


def test_a_file_that_is_still_being_written_is_left_for_the_next_look(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(settings, str)
    monkeypatch.setattr(reloading, "WRITTEN", 60.0)
    path = write(settings.rules[0], 1, "x", title="Changed")
    assert not watched.changed()
    os.utime(path, (1, 1))
    assert watched.changed()


def test_a_folder_that_goes_away_costs_nothing_but_a_word(settings: Settings) -> None:
    told: list[str] = []
    watched = Watched(settings, told.append)
    settings.rules[0].rename(settings.rules[0].with_name("elsewhere"))
    assert not watched.changed()
    assert titles(watched) == ["A rule"]
    assert any("no rule file or folder" in line for line in told)


def test_a_run_loses_no_batch_while_rules_change(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three files are three batches; the rule breaks before the second, and is another before the third."""
    folder = settings.rules[0]
    before: list[Callable[[], object]] = [
        lambda: None,
        lambda: (folder / "r1.yml").write_text("title: [\n"),
        lambda: write(folder, 2, "port 22"),
    ]

    def changing(*source: Any) -> Iterator[Batch]:
        for change, batch in zip(before, carried(*source), strict=True):
            change()
            yield batch

    monkeypatch.setattr(running, "carried", changing)
    told: list[str] = []
    seen = running.run(settings, told.append).statistics
    assert seen.events == 90
    assert seen.matches == {RULE_IDS[0]: 90, RULE_IDS[1]: 30}
    assert sum("rules read again" in line for line in told) == 2


RULE_IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2)]


def test_what_events_are_enriched_with_stays_when_it_breaks_and_costs_a_row_at_the_start(settings: Settings) -> None:
    users = settings.store.parent / "users.csv"
    users.write_text("name,unit\nroot,H21.09\nlan,XX\n")
    settings = settings.model_copy(update={"enrichment": Enriching(registry=[users])})
    told: list[str] = []
    watched = Watched(settings, told.append)
    assert [line.replace(str(users), "users.csv") for line in told] == [
        "left out: users.csv:3:1: 'XX' is no code of an organisation; write it as H21.09 or H21.106"
    ]
    users.write_text('name,unit\n"root,H21.09\n')
    write(settings.rules[0], 2, "Accepted publickey", title="New")
    assert watched.changed()
    assert any("users.csv:2:1: from here on it is no table" in line for line in told)
    assert "what was read before stays in use" in told
    assert watched.parts.enrichment is not None
    assert [user.name for user in watched.parts.enrichment.organisations.registry.users] == ["root"]
