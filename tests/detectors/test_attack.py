"""ATT&CK names in tags."""

from __future__ import annotations

import re
from pathlib import Path

from detectors.attack import TACTICS, attack, techniques, withdrawn


def test_tactics_and_techniques_are_told_apart() -> None:
    found = attack(["attack.execution", "attack.t1059.001", "cve.2021-1675", "attack.g0007", "attack.s0002"])
    assert found.tactics == ("execution",)
    assert found.techniques == ("T1059.001",)
    assert found.tactic_ids == ("TA0002",)
    assert found.pairs == ("execution / T1059.001",)


def test_old_and_underscored_names_are_understood() -> None:
    assert attack(["attack.defense-evasion", "attack.credential_access"]).tactics == ("stealth", "credential-access")


def test_a_tactic_without_technique_stands_alone() -> None:
    assert attack(["attack.impact"]).pairs == ("impact",)
    assert attack(["attack.t1486"]).pairs == ()


def test_a_technique_is_paired_with_the_tactics_it_serves() -> None:
    tags = ["attack.execution", "attack.persistence", "attack.t1059.001", "attack.t1543.003"]
    assert attack(tags).pairs == ("execution / T1059.001", "persistence / T1543.003")
    assert attack(["attack.impact", "attack.t1059.001"]).pairs == ("impact / T1059.001",)  # of another release
    assert attack(["attack.impact", "attack.execution", "attack.t1059.001"]).pairs == (
        "execution / T1059.001",
        "impact",
    )


def test_every_tactic_has_its_own_id() -> None:
    assert len(set(TACTICS.values())) == len(TACTICS) == 15


def test_the_table_names_techniques_whose_tactics_and_parents_exist() -> None:
    known = techniques()
    assert len(known) > 600
    assert known["T1059.001"].name == "PowerShell"
    assert known["T1059.001"].tactics == ("execution",)
    assert all(TACTICS.keys() >= set(technique.tactics) for technique in known.values())
    assert all(key.partition(".")[0] in known for key in known)


def test_withdrawn_ids_are_none_of_the_release_and_became_one_of_it() -> None:
    known, gone = techniques(), withdrawn()
    assert gone["T1562.001"] == "T1685"
    assert known.keys().isdisjoint(gone)
    assert all(became in known for became in gone.values() if became)


def test_every_technique_that_sigmahq_names_is_in_the_table(reference: Path) -> None:
    texts = (path.read_text("utf-8") for path in (reference / "rules").rglob("*.yml"))
    named = {found.upper() for text in texts for found in re.findall(r"- attack\.(t\d{4}(?:\.\d{3})?)\b", text)}
    assert len(named) > 300
    assert named <= techniques().keys()
