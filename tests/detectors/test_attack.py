"""ATT&CK names in tags."""

from __future__ import annotations

from detectors.attack import TACTICS, attack


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


def test_every_tactic_has_its_own_id() -> None:
    assert len(set(TACTICS.values())) == len(TACTICS) == 15
