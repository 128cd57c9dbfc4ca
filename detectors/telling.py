"""Messages of findings: a rule's template filled with what was seen, `{user.name} opened {object_id}`.

Values come from logs, so they are put in once, as they are and cut: a brace in one is no placeholder, and what can't be
printed (a line break, a change of direction) is not taken over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from detectors.meta import Meta

NAMED = 3  # distinct values named for one placeholder; of more, how many there are
LONGEST = 200  # characters of a value
NOTHING = "—"  # where no event has a value
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Values = Callable[[str], Iterable[object]]  # the name of a field → what the events have there


@dataclass(frozen=True, slots=True)
class Told:
    """The words of one finding; None where the rule brings none."""

    message: str
    message_vi: str | None
    title_vi: str | None


def tell(meta: Meta, group: str, values: Values) -> Told:
    """Return the messages of a finding: without a template the title and the group."""
    message = fill(meta.message, values) if meta.message else f"{meta.title} ({group})"
    plain = f"{meta.title_vi} ({group})" if meta.title_vi else None
    return Told(message, fill(meta.message_vi, values) if meta.message_vi else plain, meta.title_vi or None)


def fill(template: str, values: Values) -> str:
    """Return a template with the values of its placeholders."""
    return _PLACEHOLDER.sub(lambda found: _named(values(found[1])), template)


def broken(template: str) -> bool:
    """Say whether a brace of a template belongs to no placeholder, or one names nothing."""
    return not all(name.strip() for name in _PLACEHOLDER.findall(template)) or bool(
        {"{", "}"} & {*_PLACEHOLDER.sub("", template)}
    )


def of_group(group: str, name: str) -> list[str]:
    """Return what a group key says of a field: it reads `source.ip=192.0.2.7 | user.name=lan`."""
    found = re.search(rf"(?:^| \| ){re.escape(name)}=(.*?)(?= \| |$)", group, re.DOTALL)
    return [found[1]] if found else []


def _named(values: Iterable[object]) -> str:
    texts = [*dict.fromkeys(_shown(value) for value in values)]
    more = f" (+{len(texts) - NAMED})" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more or NOTHING


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(char if char.isprintable() else UNPRINTABLE for char in cut)
