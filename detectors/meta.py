"""What a rule or another detection says of itself, apart from what it detects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be asked about a finding with yes or no: see `detectors.questions`."""

    en: str  # templates, as messages are
    vi: str
    means: str  # real, harmless: what a yes speaks for
    look: str = "findings"  # events, findings: where the answer is to be looked for
    by: tuple[str, ...] = ()  # the fields whose values are looked for; none: the rule's own findings
    before: int = DAY  # seconds before the finding's first event
    after: int = DAY  # and after its last


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
    falsepositives_vi: tuple[str, ...] = ()
    message: str = ""  # templates of what a finding says: see `detectors.telling`
    message_vi: str = ""
    group_by: tuple[str, ...] = ()  # ECS fields of the group key; empty: the source's entity
    window: int = 0  # seconds; 0: the default of the level
    signal: bool = False  # its matches feed correlations and risk, and make no findings
    questions: tuple[Question, ...] = ()  # of its own; and the names of shared ones
    asks: tuple[str, ...] = ()

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Meta:
        """Return the words of plain data, as `asdict` gives it and a cache keeps it."""
        words: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        asked = (Question(**{**each, "by": tuple(each["by"])}) for each in words.pop("questions", ()))
        return cls(**words, questions=tuple(asked))
