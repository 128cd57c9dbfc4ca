"""What of others' rules can live here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flows.authoring.conftest import Soc

RULE = """title: {title}
id: 00000000-0000-4000-8000-00000000000{number}
author: Somebody Else
level: {level}
logsource: {{{logsource}}}
detection: {{sel: {{{field}: a}}, condition: sel}}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder as a git checkout leaves it: rules that live here, are blind, and have no business here."""
    root = tmp_path / "sigma"
    rules = (
        ("windows/one.yml", "One", "high", "product: windows, category: process_creation", "Image"),
        ("windows/two.yml", "Two", "low", "product: windows, category: process_creation", "Imgae"),
        ("mac/three.yml", "Three", "high", "product: macos", "Image"),
        ("windows/four.yml", "Four", "low", "product: windows, category: process_creation", "CommandLine"),
    )
    for number, (name, title, level, logsource, field) in enumerate(rules):
        path = root / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RULE.format(title=title, number=number, level=level, logsource=logsource, field=field))
    (root / "LICENSE").write_text("Detection Rule License 1.1\n")
    (root / ".git" / "refs" / "heads").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/master\n")
    (root / ".git" / "refs" / "heads" / "master").write_text("0123456789abcdef\n")
    return root / "rules"


def test_each_rule_lives_is_blind_or_has_no_business_here(soc: Soc, checkout: Path) -> None:
    told = json.loads(soc("rules", "import", checkout, "--json")[1])
    assert told["verdicts"] == {"live": 2, "blind": 1, "homeless": 1}
    assert {each["title"]: each["verdict"] for each in told["each"]} == {
        "One": "live", "Two": "blind", "Three": "homeless", "Four": "live",
    }  # fmt: skip
    (two,) = (each for each in told["each"] if each["title"] == "Two")
    assert two["blind"]["windows"] == {"Imgae": "Image"}
    lines = soc("rules", "import", checkout)[1].splitlines()
    assert lines[0] == "4 rules: 2 live, 1 blind, 0 waiting, 1 homeless"
    assert f"Imgae {len(two['blind'])}" in lines[2]  # on so many sources


def test_copies_are_the_files_themselves_with_licence_and_origins(soc: Soc, checkout: Path, tmp_path: Path) -> None:
    into = tmp_path / "ours"
    code, _, err = soc("rules", "import", checkout, "--into", into, "--level", "high", "--source", "windows")
    assert code == 0
    assert "1 rules chosen; 1 files copied" in err
    assert (into / "windows" / "one.yml").read_bytes() == (checkout / "windows" / "one.yml").read_bytes()
    assert not (into / "windows" / "four.yml").exists()
    assert (into / "LICENSE").read_text() == "Detection Rule License 1.1\n"
    (origin,) = map(json.loads, (into / "origins.ndjson").read_text().splitlines())
    assert (origin["file"], origin["commit"]) == ("windows/one.yml", "0123456789abcdef")
    assert origin["authors"] == ["Somebody Else"]
    assert soc("rules", "check", into)[0] == 0


def test_of_a_whole_checkout_only_the_rules_are_read(soc: Soc, checkout: Path) -> None:
    root = checkout.parent
    (root / "rules-hunting").mkdir()
    (checkout / "mac" / "three.yml").rename(root / "rules-hunting" / "three.yml")
    (root / "tests").mkdir()
    (root / "tests" / "config.yml").write_text("no: rule\n")
    code, out, _ = soc("rules", "import", root)
    assert code == 0
    assert out.splitlines()[0].startswith("4 rules: 2 live")


def test_a_dry_run_writes_nothing(soc: Soc, checkout: Path, tmp_path: Path) -> None:
    assert "2 files would be copied" in soc("rules", "import", checkout, "--into", tmp_path / "ours", "--dry-run")[2]
    assert not (tmp_path / "ours").exists()


def test_what_upstream_changed_is_renewed_and_what_was_changed_here_is_kept(
    soc: Soc, checkout: Path, tmp_path: Path
) -> None:
    into = tmp_path / "ours"
    soc("rules", "import", checkout, "--into", into)
    upstream = checkout / "windows" / "one.yml"
    upstream.write_text(upstream.read_text().replace("title: One", "title: Uno"))
    assert "1 files copied" in soc("rules", "import", checkout, "--into", into)[2]
    (into / "windows" / "one.yml").write_text("title: ours\n")
    code, _, err = soc("rules", "import", checkout, "--into", into)
    assert code == 2
    assert "was changed here" in err


def test_what_is_no_folder_is_said(soc: Soc) -> None:
    code, _, said = soc("rules", "import", "https://github.example/sigma.git")
    assert (code, "clone it first" in said) == (2, True)
