"""An incident told: its findings in order of time, how far along the kill chain they are, and whom they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.store import Store, Triage
from connectors.store_cases import Case, Cases
from connectors.store_sums import Headline, Sums
from detectors.attack import TACTICS

NAMES: Final = {"host": "host.name", "user": "user.name", "address": "source.ip"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """`chain` has the tactics in the order of ATT&CK, each with its findings; `names` whom findings name, by kind."""

    case: Case
    findings: tuple[Row, ...]  # FINDING, oldest first
    chain: tuple[tuple[str, tuple[Row, ...]], ...]
    names: Mapping[str, tuple[str, ...]]
    history: tuple[Triage, ...]
    successors: tuple[str, ...]

    @property
    def worst(self) -> Row | None:
        """The most severe finding."""
        return max(self.findings, key=lambda row: row["event.severity"] or 0, default=None)

    @property
    def title(self) -> str:
        """The most severe finding's title, and where it was."""
        worst = self.worst
        return self.case.id if worst is None else headline(worst, str(worst["rule.name"] or worst["rule.id"]))


def headline(finding: Row, title: str) -> str:
    """Return the title of a finding, and where it was."""
    where = next((name for column in NAMES.values() for name in finding[column] or () if name), "")
    return f"{title} ({where})" if where else title


def titled(finding: Mapping[str, Any], lang: str) -> tuple[str, str]:
    """Return title and message in a language, as far as the rule has them."""
    title = (finding["soc.title.vi"] if lang == "vi" else None) or finding["rule.name"] or finding["rule.id"] or "?"
    message = (finding["soc.message.vi"] if lang == "vi" else None) or finding["message"] or ""
    return title, message


def rule_titles(store: Store, names: Iterable[str], lang: str) -> dict[str, str]:
    """Return what rules are called in a language, by their English names."""
    known = dict.fromkeys(names, "")
    found = Sums(store).titles(known) if lang == "vi" else {}
    return {name: found.get(name, name) for name in known}


def organisations(store: Store, codes: Iterable[str]) -> dict[str, str]:
    """Return organisations as people know them, `Sở Y tế (H21.09)`, by their codes."""
    known = list(dict.fromkeys(codes))
    names = Sums(store).named(known)
    return {code: f"{names[code]} ({code})" if names.get(code, code) != code else code for code in known}


def case_titles(store: Store, incidents: Sequence[str], lang: str) -> dict[str, str]:
    """Return what the most severe finding of each incident is called in a language, and where; else the id."""
    told = {name: _said(line, lang) for name, line in Sums(store).headlines(incidents).items()}
    return {name: told.get(name, name) for name in incidents}


def case_title(store: Store, incident: str, lang: str) -> str:
    """Return the title of one incident."""
    return case_titles(store, [incident], lang)[incident]


def _said(line: Headline, lang: str) -> str:
    title = (line.title_vi if lang == "vi" else None) or line.name or line.rule or "?"
    return f"{title} ({line.where})" if line.where else title


def tell(store: Store, incident: str) -> Story:
    """Return an incident's story.

    Raises:
        UsageError: there is none of that id.
    """
    cases = Cases(store)
    case = cases.one(incident)
    found = [row for name in cases.findings(incident) if (row := store.whole(name)) is not None]
    return Story(
        case,
        tuple(found),
        tuple(_chain(found)),
        {kind: tuple(dict.fromkeys(_values(found, column))) for kind, column in NAMES.items()},
        tuple(cases.history(incident)),
        tuple(cases.successors(incident)),
    )


def _chain(found: Sequence[Row]) -> Iterator[tuple[str, tuple[Row, ...]]]:
    for tactic in TACTICS:
        rows = tuple(row for row in found if tactic in (row["threat.tactic.name"] or _tactics(row)))
        if rows:
            yield tactic, rows


def _tactics(row: Row) -> list[str]:
    return [pair.partition(" / ")[0] for pair in row["soc.attack"] or () if pair]


def _values(found: Sequence[Row], column: str) -> Iterator[str]:
    for row in found:
        yield from (value for value in row[column] or () if value)
