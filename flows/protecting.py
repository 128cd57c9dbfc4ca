"""Settings to what keeps personal data: tokens on the way in, and a word about data that nobody marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from connectors.definition import Definition
from connectors.privacy import keys
from connectors.privacy.protect import Protector
from detectors.contracts import Batch
from detectors.personal import Seen, personal
from flows.settings import Settings

SAMPLE: Final = 500  # records of a batch that are looked at
SELDOM: Final = 100_000  # records of a source after which a batch of it is looked at again, at the latest
YEAR: Final = 2026  # people born later have no numbers yet that anybody would use
WORDS: Final = {
    "citizen_id": "numbers of citizens",
    "phone": "phone numbers",
    "insurance_card": "numbers of health insurance cards",
    "insurance_number": "social insurance numbers",
    "email": "e-mail addresses",
}


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a site's keys and vault."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    @property
    def lock(self) -> Path:
        return self.folder / "vault.lock"

    @property
    def vault(self) -> Path:
        return self.folder / "vault"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.ndjson"


def places(settings: Settings) -> Places:
    """Return where a site's keys and vault are."""
    return Places(settings.privacy.folder)


def protector(settings: Settings) -> Protector | None:
    """Return what makes tokens, where the settings say so.

    Raises:
        UsageError: the key file is missing or can't be used; nothing is read then.
    """
    if not settings.privacy.protect:
        return None
    from connectors.privacy import vault  # noqa: PLC0415 - its ciphers take long to import, and few sites have one

    where = places(settings)
    known = keys.read(where.keys)
    return Protector(known, lambda pairs: vault.append(where.vault, known.vault, pairs))


@dataclass(slots=True)
class Watch:
    """Looks for personal data in records as they are kept; tells of each kind once per source.

    The first batch of a source is looked at, then one whenever its records have doubled: what was not there in the
    first thousands seldom comes later, and looking takes as long as matching.
    """

    protects: bool = False  # tokens are made of columns that are marked
    told: set[tuple[str, str]] = field(default_factory=set)  # sources and kinds
    words: list[str] = field(default_factory=list)
    came: Counter[str] = field(default_factory=Counter)  # source → records
    next: dict[str, int] = field(default_factory=dict)  # source → records after which to look again

    def look(self, definition: Definition, events: pl.DataFrame) -> list[str]:
        """Look at some records (RECORD) of a batch, if it is time to, and return what is new, in words."""
        name = definition.name
        before = self.came[name]
        self.came[name] += events.height
        if before < self.next.get(name, 0):
            return []
        self.next[name] = self.came[name] + min(self.came[name], SELDOM)
        step = max(events.height // SAMPLE, 1)
        found = personal(events["event.original"].gather_every(step).head(SAMPLE), YEAR)
        new = [seen for seen in found if (name, seen.kind) not in self.told]
        new = [seen for seen in new if seen.kind != "email" or not _mail(definition)]
        self.told |= {(name, seen.kind) for seen in new}
        words = [_words(definition, seen, protects=self.protects) for seen in new]
        self.words += words
        return words


@dataclass(frozen=True, slots=True)
class Guard:
    """What a run does about personal data: tokens, and a word about what nobody marked; either may be left out."""

    definitions: Mapping[str, Definition]
    protector: Protector | None = None
    watch: Watch | None = None

    def batch(self, batch: Batch) -> Batch:
        """Return a batch as it may be kept."""
        return batch if self.protector is None else self.protector.batch(batch, self.definitions[batch.source])

    def letters(self, dead: pl.DataFrame) -> pl.DataFrame:
        """Return dead letters as they may be kept."""
        return dead if self.protector is None else self.protector.letters(dead, self.definitions)

    def look(self, batch: Batch) -> list[str]:
        """Return what is to be told of a batch."""
        return [] if self.watch is None else self.watch.look(self.definitions[batch.source], batch.records)


def guard(settings: Settings, definitions: Mapping[str, Definition]) -> Guard:
    """Return what the settings ask for."""
    watch = Watch(protects=settings.privacy.protect) if settings.privacy.warn else None
    return Guard(definitions, protector(settings), watch)


def lines(settings: Settings, definitions: Mapping[str, Definition]) -> Callable[[str, Sequence[str]], list[str]]:
    """Return what a collector does to the lines of a source before it writes them anywhere."""
    made = protector(settings)

    def protect(source: str, texts: Sequence[str]) -> list[str]:
        if made is None or source not in definitions:
            return list(texts)
        return made.lines(texts, definitions[source]).to_list()

    return protect


def _mail(definition: Definition) -> bool:
    """Say whether a source is of mail or accounts that are called by addresses: there they are no surprise."""
    return any(name.startswith("email.") or name.endswith("user.email") for name in definition.fields)


def _words(definition: Definition, seen: Seen, *, protects: bool) -> str:
    fix = "name their columns under `personal` in the source's definition"
    if definition.personal and not protects:
        fix = f"`privacy: {{protect: true}}` makes tokens of {', '.join(definition.personal)}; otherwise {fix}"
    return f"personal data in {definition.name}: {WORDS[seen.kind]}, such as {seen.example}; {fix} (docs/privacy.md)"
