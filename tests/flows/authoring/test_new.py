"""New rules: right from their first minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from detectors.sigma.document import Document, documents
from detectors.sigma.outline import outline, pieces
from flows.authoring import new
from flows.authoring.house import slug
from tests.flows.authoring.conftest import Soc

ACCESS = '192.0.2.{} - - [02/Mar/2026:01:02:{:02d} +0700] "GET {} HTTP/1.1" 200 {} "-" "Mozilla/5.0"\n'


def read(path: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(Path(path).read_text())
    return document


def only_blanks(soc: Soc, path: str) -> bool:
    """Say whether check finds nothing but what only its author can fill in."""
    code, remarks, _ = soc("rules", "check", path)
    return code == 0 and all("is still that of the template" in line for line in remarks.splitlines())


@pytest.mark.parametrize(
    "logsource",
    ["product=linux,service=sshd", "category=webserver", "product=windows,category=process_creation", "product=m365"],
)
def test_a_template_passes_check_and_test_and_notices_everything(soc: Soc, logsource: str) -> None:
    code, out, _ = soc("rules", "new", "Something odd", "--logsource", logsource, "--tag", "attack.t1110")
    assert code == 0
    assert Path(out.strip()).name == "something_odd.yml"
    assert only_blanks(soc, "something_odd.yml")
    assert soc("rules", "test", "something_odd.yml", "--mutate")[:2] == (0, "")
    assert soc("rules", "new", "Something odd", "--logsource", logsource)[0] == 2


def web(name: str, targets: list[str]) -> Path:
    path = Path(name)
    path.write_text("".join(ACCESS.format(at, at, target, 100 + at) for at, target in enumerate(targets)))
    return path


def test_events_are_told_from_others_by_what_they_share(soc: Soc) -> None:
    wanted = web("bad.log", ["/export?table=users&dump=full", "/export?table=cases&dump=full"])
    others = web("good.log", ["/", "/export?table=users", "/news?page=2"])
    code, out, err = soc("rules", "new", "Dump", "--from", wanted, "--others", others, "--source", "portal")
    assert code == 0, err
    rule = read(out.strip())
    assert rule["logsource"] == {"category": "webserver"}
    assert "dump=full" in str(rule["detection"]["selection"])
    assert "c-ip" not in str(rule["detection"])  # who it was says nothing of what was done
    assert [test["match"] for test in rule["tests"]] == [True, False, False]
    assert soc("rules", "test", out.strip(), "--mutate")[:2] == (0, "")
    assert only_blanks(soc, out.strip())


def test_lines_of_one_file_are_told_from_the_rest_of_it(soc: Soc) -> None:
    log = web("all.log", ["/", "/admin/reset", "/news", "/admin/reset"])
    _, out, _ = soc("rules", "new", "Reset", "--from", log, "--lines", "2,4", "--source", "portal")
    assert "/admin/reset" in str(read(out.strip())["detection"])
    assert soc("rules", "new", "Other", "--from", log, "--lines", "9")[0] == 2


def test_windows_events_find_their_category_and_the_names_of_its_rules(soc: Soc) -> None:
    event = (
        '{{"Channel":"Security","EventID":4688,"TimeCreated":"2026-03-09T01:00:00Z","Computer":"pc1",'
        '"NewProcessName":"C:\\\\Temp\\\\{}","CommandLine":"{} -enc x","SubjectUserName":"lan"}}\n'
    )
    Path("w.ndjson").write_text(
        event.format("evil.exe", "evil.exe") + event.format("evil.exe", "C:\\\\Temp\\\\evil.exe")
    )
    code, out, err = soc("rules", "new", "Evil", "--from", "w.ndjson", "--source", "windows")
    assert code == 0, err
    rule = read(out.strip())
    assert rule["logsource"] == {"category": "process_creation", "product": "windows"}
    assert "Image|endswith" in rule["detection"]["selection"]


def test_what_cannot_be_told_apart_is_said(soc: Soc) -> None:
    log = web("all.log", ["/same", "/same"])
    _, _, err = soc("rules", "new", "Same", "--from", log, "--lines", "1", "--source", "portal")
    assert "of the other events match too" in err


def test_events_without_a_log_source_need_a_definition_first(soc: Soc) -> None:
    Path("a.json").write_text('{"a": "b"}\n')
    code, _, err = soc("rules", "new", "Any", "--from", "a.json")
    assert code == 2
    assert "no source is known by these events" in err


def test_wildcards_of_events_are_plain_characters_of_the_rule() -> None:
    for text in ("a*b", "what?", "C:\\*", "\\\\*", "plain\\"):
        written = yaml.safe_dump({"detection": {"s": {"f": new._escaped(text)}, "condition": "s"}})
        (document,) = documents(written, "r.yml")
        assert isinstance(document, Document)
        asked = [piece.asks for piece in pieces(outline(document, {})) if piece.asks]
        assert [getattr(each, "op", None) for each in asked] == ["equals"]
        assert [getattr(each, "values", None) for each in asked] == [(text.lower(),)]


def test_a_file_is_named_after_its_title() -> None:
    assert slug("Root (again): logged in!") == "root_again_logged_in"
