"""Where rules can live: on sources whose events can have the fields that they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from connectors.kept import contents
from detectors.sigma.rule import Rule
from flows import assembly
from flows.authoring.memo import Memo
from flows.naming import no_source
from flows.settings import Settings

if TYPE_CHECKING:
    from connectors.definition import Definition

Blind = dict[str, Mapping[str, str | None]]  # source → missing field → the nearest that there is


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a rule can live, and what it lacks where it can't."""

    rule: Rule
    live: tuple[str, ...]  # sources
    blind: Blind

    @property
    def verdict(self) -> str:
        """Return live, blind, waiting (for a list) or homeless."""
        if self.rule.waits_for:
            return "waiting"
        return "live" if self.live else "blind" if self.blind else "homeless"

    def document(self) -> dict[str, Any]:
        """Return the fate as plain data."""
        meta = self.rule.meta
        return {
            "id": meta.id,
            "title": meta.title,
            "level": meta.level,
            "status": meta.status,
            "logsource": str(self.rule.logsource),
            "file": self.rule.place.file,
            "verdict": self.verdict,
            "live": [*self.live],
            "blind": {source: dict(lacks) for source, lacks in self.blind.items()},
            "waits_for": [*self.rule.waits_for],
        }


def fated(rules: Sequence[Rule], settings: Settings, sources: Sequence[str] = ()) -> list[Fate]:
    """Say where rules can live among the sources of the settings; `sources` are names that there must be.

    Raises:
        UsageError: there is no source of such a name.
    """
    load = cache(lambda: assembly.definitions(settings))
    for name in sources:
        if name not in load():
            raise no_source(name, load())
    return fates(rules, load, Memo(settings.cache, "fates", contents(settings.sources)))


def fates(rules: Sequence[Rule], load: Callable[[], Mapping[str, Definition]], memo: Memo) -> list[Fate]:
    """Say of every rule where it can live.

    Definitions are loaded for rules that `memo` (which must depend on them) doesn't know.
    """
    asked = [f"{rule.semantics} {rule.waits_for}".encode() for rule in rules]
    fresh = [number for number, question in enumerate(asked) if not memo.knows(question)]
    found = dict(zip(fresh, _found([rules[number] for number in fresh], load()), strict=True)) if fresh else {}
    told = [memo.known(question, partial(found.__getitem__, number)) for number, question in enumerate(asked)]
    memo.save()
    return [Fate(rule, tuple(live), blind) for rule, (live, blind) in zip(rules, told, strict=True)]


def on(sources: Sequence[str], found: Iterable[Fate]) -> list[Fate]:
    """Return fates as they are where there are these sources only."""
    return [
        Fate(
            each.rule,
            tuple(name for name in each.live if name in sources),
            {name: lacks for name, lacks in each.blind.items() if name in sources},
        )
        for each in found
    ]


def _found(rules: Sequence[Rule], definitions: Mapping[str, Definition]) -> list[tuple[list[str], Blind]]:
    from flows import blindness  # noqa: PLC0415 - formats and enrichment: not where all is known already

    live: dict[int, list[str]] = defaultdict(list)
    blind: dict[int, Blind] = defaultdict(dict)
    numbers = {rule.meta.id: number for number, rule in enumerate(rules)}
    for definition in definitions.values():
        seen = blindness.look(rules, definition)
        for each in blindness.source(rules, definition, seen)["blind"]:
            blind[numbers[each["id"]]][definition.name] = each["lacks"]
        for number in seen.whole.live:
            live[number].append(definition.name)
    return [(live[number], blind[number]) for number in range(len(rules))]
