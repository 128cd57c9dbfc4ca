"""Questions in SQL to the archive."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from connectors.archive import Archive
from detectors.errors import UsageError
from flows import assembly, running
from flows.cli import main
from flows.ruleset import RuleSet
from flows.settings import Settings
from flows.sql import ask
from tests.flows.places import laid_out
from tests.flows.test_running import LINE

OFTEN = 'SELECT "source.ip", count(*) AS n FROM auth WHERE "user.name" = \'root\' GROUP BY "source.ip"'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = laid_out(tmp_path)
    (tmp_path / "logs" / "auth.log").write_text("".join(map(LINE.format, range(30))))
    running.run(made, str)
    return made


def answer(settings: Settings, question: str, since: datetime | None = None) -> list[tuple[object, ...]]:
    parts = assembly.parts(settings, RuleSet((), ()))
    return ask(question, parts, Archive(settings.archive), since=since).rows()


def test_a_source_is_a_table_of_its_events(settings: Settings) -> None:
    assert answer(settings, OFTEN) == [("203.0.113.9", 30)]
    assert answer(settings, 'SELECT count(*) FROM auth a JOIN auth b USING ("log.offset")') == [(30,)]
    assert answer(settings, OFTEN, since=datetime(2100, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ('SELECT "usr.name" FROM auth', 'unable to find column "usr.name"'),
        ("SELECT user.name FROM auth", "names with a dot stand in double quotes"),
        ("SELECT 1 FROM nothing", "names no source; the archive holds: auth"),
        ("SELECT FROM auth WHERE", "can't be answered"),
        ('SELECT 1 FROM auth; SELECT "x" FROM auth', "only one"),
    ],
)
def test_what_is_wrong_with_a_question_is_told(settings: Settings, question: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        answer(settings, question)


def test_a_question_beyond_the_sources_that_are_allowed_is_refused(settings: Settings) -> None:
    parts = assembly.parts(settings, RuleSet((), ()))
    assert ask(OFTEN, parts, Archive(settings.archive), allowed=["auth"]).rows() == [("203.0.113.9", 30)]
    with pytest.raises(UsageError, match="asks auth, and --source allows nginx only"):
        ask(OFTEN, parts, Archive(settings.archive), allowed=["nginx"])


def test_the_command_prints_a_table_without_controls_and_writes_rows(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "soc.yml", tmp_path / "out.ndjson"
    config.write_text(settings.model_dump_json(include={"archive", "store"}))
    question = "SELECT '\x1b[31m' AS red, \"user.name\" FROM auth"
    assert main(["hunt", question, "--config", str(config), "--rows", "2", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "and 28 more rows" in printed
    assert orjson.loads(out.read_text().splitlines()[0]) == {"red": "\x1b[31m", "user.name": "root"}
