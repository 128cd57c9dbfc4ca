"""MITRE ATT&CK names in Sigma tags, and the techniques that there are (`attack.tsv`).

Tactics are those of ATT&CK Enterprise v19, in the order of the matrix; v19 split Defense Evasion into Stealth and
Defense Impairment, and rules tagged before that still say `defense-evasion`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TACTICS = {
    "reconnaissance": "TA0043",
    "resource-development": "TA0042",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "stealth": "TA0005",
    "defense-impairment": "TA0112",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
RELEASE = "19"
_OLD = {"defense-evasion": "stealth"}
_BECAME = "→"
_TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?")


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique or sub-technique, and the tactics it serves (by their names in tags)."""

    id: str
    name: str
    tactics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """The tactics and techniques a rule names; `pairs` are "tactic / technique", one keyword each."""

    tactics: tuple[str, ...]
    techniques: tuple[str, ...]

    @property
    def tactic_ids(self) -> tuple[str, ...]:
        return tuple(TACTICS[tactic] for tactic in self.tactics)

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pair every tactic with the techniques that serve it; a tactic without any stands alone.

        Where a technique serves none of the tactics (a rule tagged by another release) it is paired with all of them.
        """
        served = [(technique, self._served(technique)) for technique in self.techniques]
        pairs = [(tactic, technique) for tactic in self.tactics for technique, by in served if tactic in by]
        alone = (
            self.tactics if not pairs else [one for one in self.tactics if one not in {tactic for tactic, _ in pairs}]
        )
        return (*(f"{tactic} / {technique}" for tactic, technique in pairs), *alone)

    def _served(self, technique: str) -> tuple[str, ...]:
        """Return the tactics of the rule that a technique serves, or all of them."""
        known = techniques().get(technique)
        return tuple(tactic for tactic in self.tactics if known and tactic in known.tactics) or self.tactics


def attack(tags: Iterable[str]) -> Attack:
    """Read the `attack.` tags of a rule; other tags and unknown names are left alone.

    >>> attack(["attack.execution", "attack.t1059.001", "cve.2021-1675"]).pairs
    ('execution / T1059.001',)
    """
    tactics: dict[str, None] = {}
    techniques: dict[str, None] = {}
    for tag in tags:
        namespace, _, name = tag.lower().partition(".")
        if namespace != "attack":
            continue
        tactic = name.replace("_", "-")
        tactic = _OLD.get(tactic, tactic)
        if tactic in TACTICS:
            tactics[tactic] = None
        elif _TECHNIQUE.fullmatch(name):
            techniques[name.upper()] = None
    return Attack(tuple(tactics), tuple(techniques))


@cache
def techniques() -> dict[str, Technique]:
    """Return every technique of the release by its id."""
    return {key: Technique(key, name, tuple(rest.split(","))) for key, rest, name in _rows() if rest[0] != _BECAME}


@cache
def withdrawn() -> dict[str, str]:
    """Return the ids of former releases, and what each became ("": nothing of the same name)."""
    return {key: rest[1:] for key, rest, _ in _rows() if rest[0] == _BECAME}


def _rows() -> list[list[str]]:
    lines = files("detectors").joinpath("attack.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]
