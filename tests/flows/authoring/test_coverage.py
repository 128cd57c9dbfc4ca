"""ATT&CK coverage as a Navigator layer and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

from detectors.attack import TACTICS, techniques
from flows.authoring.coverage import matrix
from tests.flows.authoring.conftest import RULE, Soc

# LAYERFORMATv4_5.md of mitre-attack/attack-navigator: what is required, and the types of what we write
REQUIRED = {"name": str, "versions": dict, "domain": str, "description": str, "techniques": list, "gradient": dict}


def test_the_layer_has_the_form_of_the_navigator(soc: Soc, rule: Path) -> None:
    code, out, err = soc("rules", "coverage", rule, "--name", "Ours")
    layer = json.loads(out)
    assert code == 0
    assert all(isinstance(layer[key], kind) for key, kind in REQUIRED.items())
    assert layer["versions"] == {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
    assert layer["domain"] == "enterprise-attack"
    assert layer["gradient"]["maxValue"] > layer["gradient"]["minValue"]
    (technique,) = layer["techniques"]
    assert technique["techniqueID"] == "T1078.003"
    assert technique["score"] == 1
    assert technique["comment"] == "Root logged in"
    assert {"name": "auth", "value": "1"} in technique["metadata"]
    assert "1 of 697 techniques" in err


def test_a_source_sees_only_what_lives_there(soc: Soc, rule: Path) -> None:
    assert json.loads(soc("rules", "coverage", rule, "--source", "nginx")[1])["techniques"] == []
    assert soc("rules", "coverage", rule, "--source", "nonesuch")[0] == 2


def test_the_page_loads_nothing_and_escapes_titles(soc: Soc, rule: Path) -> None:
    rule.write_text(RULE.replace("Root logged in", "'<script>alert(1)</script>'"))
    soc("rules", "coverage", rule, "--html", "c.html", "--layer", "l.json")
    page = Path("c.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"(src|href)=|@import|url\(", page)
    assert "default-src 'none'" in page
    assert "T1078.003" in page
    assert json.loads(Path("l.json").read_text())["techniques"]


def test_the_matrix_shows_every_technique_under_each_of_its_tactics() -> None:
    columns = matrix({"T1078.003": ["a"], "T1110": ["b"]})
    assert [tactic for tactic, _, _ in columns] == [*TACTICS]
    shown = {(tactic, cell.key) for tactic, _, cells in columns for cell in cells}
    assert shown == {(tactic, key) for key, one in techniques().items() if "." not in key for tactic in one.tactics}
    counts = {tactic: count for tactic, count, _ in columns}
    assert counts["credential-access"] == 1
    assert counts["impact"] == 0
    assert all(counts[tactic] == 1 for tactic in techniques()["T1078"].tactics)


def test_equal_rules_give_equal_pages(soc: Soc, rule: Path) -> None:
    soc("rules", "coverage", rule, "--html", "a.html")
    soc("rules", "coverage", rule, "--html", "b.html")
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()
