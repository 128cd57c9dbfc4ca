"""An exception proposed from false alarms: what they have in common and no real finding of the rule has.

It is proposed only after it was tried as any exception is (`soc rules try`): over the archive and over the evidence of
every finding that was real. What would have hidden one of these is not proposed at all. It has no `valid_from`: terms
are judged by the time of the event, and what shall be tried on the past must hold there.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from connectors.archive import Archive
from connectors.store import Store
from connectors.store_schema import REAL
from connectors.store_wanted import Wanted
from detectors.errors import UsageError
from detectors.sigma.rule import Rule
from flows import trying
from flows.authoring.new import text
from flows.settings import Settings

FALSE: Final = ("false_positive", "expected_activity", "acceptable_risk")
FEWEST: Final = 3  # findings that an exception is worth
TOGETHER: Final = 3  # fields of an exception
DAYS: Final = 90  # for which it holds
FINDINGS: Final = 5_000  # of a kind that are looked at, the newest
# What tells a known machine, person or program from others, the most telling first.
FIELDS: Final = (
    "user.name", "source.ip", "host.name", "process.executable", "process.parent.executable", "process.command_line",
    "user_agent.original", "url.path", "destination.ip", "destination.port", "event.action", "organization.id",
)  # fmt: skip
# These say what happened, not to whom: where nothing real is known, one of them alone would silence the rule itself.
KINDS: Final = frozenset({"event.action", "destination.port", "organization.id"})
Event = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proposed:
    """An exception, how many of the false alarms it takes whole, and what trying it said."""

    document: Mapping[str, Any]
    alarms: int
    of: int
    told: tuple[str, ...]

    @property
    def written(self) -> str:
        """Return the exception as a file."""
        return text(dict(self.document))


def propose(
    settings: Settings, store: Store, rule: Rule, *, owner: str, today: date, folders: Sequence[Path] = ()
) -> Proposed:
    """Propose an exception for a rule.

    Raises:
        UsageError: too few false alarms have anything in common, or what they have would hide what was real.
    """
    alarms = [events for reason in FALSE for events in _events(store, Wanted(rule=rule.id, reason=reason))]
    real = [events for reason in REAL for events in _events(store, Wanted(rule=rule.id, reason=reason))]
    common = shared(alarms, real)
    taken = sum(all(holds(common, event) for event in events) for events in alarms) if common else 0
    if taken < FEWEST:
        raise UsageError(
            f"the {len(alarms):,} false alarms of {rule.meta.title!r} have nothing in common that tells at least "
            f"{FEWEST} of them from its {len(real):,} real findings",
            fix="close more of them with a reason, or write an exception by hand: docs/exceptions.md",
        )
    document = _document(rule, common, owner, today, taken)
    trial = tried(settings, store, document, folders)
    if trial.hidden:
        first = next(iter(trial.hidden.values()))
        raise UsageError(
            f"what the false alarms have in common would hide real findings: {first.finding} of {len(trial.hidden):,}",
            fix="mend the rule instead: soc rules explain",
        )
    return Proposed(document, taken, len(alarms), tuple(trying.lines(trial)))


def shared(alarms: Sequence[Sequence[Event]], real: Iterable[Sequence[Event]]) -> dict[str, str]:
    """Return fields with values: true of all events of as many alarms as can be, and of no real finding's event.

    What most alarms share and some real event lacks comes first, until no real event has it all; then what the alarms
    that are left all share makes it narrower.
    """
    against = [event for events in real for event in events]
    left, chosen = [events for events in alarms if events], dict[str, str]()
    while left and len(chosen) < TOGETHER:
        counts = Counter(pair for events in left for pair in _agreed(events) if pair[0] not in chosen)
        telling = [pair for pair in counts if not against or any(event.get(pair[0]) != pair[1] for event in against)]
        telling = [pair for pair in telling if chosen or against or pair[0] not in KINDS]
        best = min(telling, key=lambda pair: (-counts[pair], FIELDS.index(pair[0]), pair), default=None)
        if best is None or (chosen and not against and counts[best] < len(left)):
            break
        chosen[best[0]] = best[1]
        left = [events for events in left if all(holds(chosen, event) for event in events)]
        against = [event for event in against if holds(chosen, event)]
    return {} if against else chosen


def holds(fields: Mapping[str, str], event: Event) -> bool:
    """Say whether an event has all of these values."""
    return all(event.get(name) == value for name, value in fields.items())


def tried(settings: Settings, store: Store, document: Mapping[str, Any], folders: Sequence[Path]) -> trying.Trial:
    """Try an exception over the archive and over the evidence of what was real."""
    with tempfile.TemporaryDirectory(prefix="soc-exception-") as folder:
        path = Path(folder, "proposed.yml")
        path.write_text(text(dict(document)), "utf-8")
        trial = trying.prepare(settings, path, folders)
        trying.run(trial, Archive(settings.archive), None, None)
        trying.judge(trial, store)
    return trial


def _agreed(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Yield the pairs that are true of all events of a finding."""
    first, *others = events
    for name in FIELDS:
        value = first.get(name)
        if value and all(event.get(name) == value for event in others):
            yield name, value


def _events(store: Store, wanted: Wanted) -> Iterator[list[Event]]:
    """Yield the events that findings show, as texts by ECS names."""
    for evidence in store.select(wanted, limit=FINDINGS)["soc.evidence"]:
        shown = orjson.loads(evidence or "[]")
        yield [_texts(each.get("fields") or {}) for each in shown if isinstance(each, dict)]


def _texts(fields: Mapping[str, Any]) -> Event:
    single = {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in fields.items()
    }
    return {name: str(value) for name, value in single.items() if isinstance(value, str | int) and value != ""}


def _document(rule: Rule, common: Mapping[str, str], owner: str, today: date, alarms: int) -> dict[str, Any]:
    logsource = {key: value for key in ("category", "product", "service") if (value := getattr(rule.logsource, key))}
    key = orjson.dumps([rule.id, sorted(common.items())]).decode()
    return {
        "title": f"Known to be harmless: {rule.meta.title}"[:200],
        "id": str(uuid5(NAMESPACE_URL, f"exception {key}")),
        "logsource": logsource,
        "filter": {
            "rules": [rule.id],
            "harmless": {name: _escaped(value) for name, value in common.items()},
            "condition": "not harmless",
        },
        "soc": {
            "owner": owner,
            "reason": f"{alarms} findings like this were closed as false alarms",
            "valid_to": today + timedelta(days=DAYS),
        },
    }


def _escaped(value: str) -> str:
    """Return a value as Sigma writes it: wildcards are plain characters here."""
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
