"""What a rule or another detection says of itself, apart from what it detects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meta:
    """The words of a rule: what an analyst reads in a finding, and how its findings are grouped."""

    id: str
    title: str
    level: str = "medium"
    status: str = ""
    description: str = ""
    author: str = ""
    license: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    runbook: str = ""
    title_vi: str = ""
    message: str = ""  # templates of what a finding says: see `detectors.telling`
    message_vi: str = ""
    group_by: tuple[str, ...] = ()  # ECS fields of the group key; empty: the source's entity
    window: int = 0  # seconds; 0: the default of the level
    signal: bool = False  # its matches feed correlations and risk, and make no findings
