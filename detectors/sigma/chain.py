"""The modifiers of an item: which of them go together, and on what values.

    f|contains|windash: -enc      a text stays a text
    f|re|i: abc                   `re` makes a regular expression of a text, and `i` takes one
    f|gt|contains: 5              refused: `gt` makes a comparison, and `contains` takes none

pySigma judges each value when it comes to a modifier, lets some modifiers override others, and speaks of its own
classes. Here a chain is judged as a whole, before any value, and in the words of rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sigma.modifiers import SigmaModifier
from sigma.types import SigmaType

from detectors.errors import RuleError
from detectors.nearest import nearest
from detectors.sigma.departures import MODIFIERS
from detectors.sigma.document import TextError

Modifier = SigmaModifier[Any, Any]
MAX_LENGTH = 8  # modifiers; an encoding makes its text up to three times as long
TEXT, NUMBER, BOOLEAN, NULL = "a text", "a number", "a boolean", "null"
ENCODED, REGEX, NETWORK, COMPARISON = "an encoded text", "a regular expression", "a network", "a comparison"
TIME, EXISTENCE, REFERENCE = "a part of a time", "an existence test", "a field reference"
_WRITTEN = frozenset({TEXT, NUMBER, BOOLEAN, NULL})
_KEYWORDS = frozenset({TEXT, NUMBER, ENCODED, REGEX})
TIMES = frozenset({"minute", "hour", "day", "week", "month", "year"})
_OF_LISTS = ("all", "neq")  # concern the values together, so they may stand anywhere, even before `re`


@dataclass(frozen=True, slots=True)
class _Step:
    takes: tuple[str, ...]  # the one to tell an author of first
    gives: str = ""  # "": what it takes
    first: bool = False  # reads the value as it is written


def _steps(names: str, *takes: str, gives: str = "", first: bool = False) -> dict[str, _Step]:
    return dict.fromkeys(names.split(), _Step(takes, gives, first))


_STEPS = {
    **_steps("contains startswith endswith", TEXT, ENCODED, REGEX, REFERENCE),
    **_steps("cased", TEXT, ENCODED),
    **_steps("windash", TEXT),
    **_steps("expand", TEXT, REGEX),
    **_steps("base64 base64offset wide utf16le utf16be utf16", TEXT, ENCODED, gives=ENCODED),
    **_steps("re", TEXT, NUMBER, gives=REGEX, first=True),
    **_steps("i ignorecase m multiline s dotall", REGEX),
    **_steps("cidr", TEXT, gives=NETWORK, first=True),
    **_steps("fieldref", TEXT, gives=REFERENCE, first=True),
    **_steps("exists", BOOLEAN, gives=EXISTENCE, first=True),
    **_steps("lt lte gt gte", NUMBER, TIME, gives=COMPARISON),
    **_steps(" ".join(TIMES), NUMBER, gives=TIME),
}
_FIXES = {
    TEXT: "write a text (in quotes if it looks like something else)",
    NUMBER: "write a number without quotes",
    BOOLEAN: "write true or false",
    REGEX: "use it after `re` only",
}


@dataclass(slots=True)
class _Item:
    """What modifiers ask of the item in which they stand; pySigma's own class brings its parser of conditions along."""

    field: str | None
    policy: None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Modifiers that go together."""

    names: tuple[str, ...] = ()  # of those that change values, in order
    gives: str = ""  # what values are in the end ("": what they are written as)
    every: bool = False  # all values must fit, not any
    negated: bool = False

    def check(self, given: object, *, keyword: bool) -> None:
        """Raise RuleError if a value, as YAML reads it, can't go through."""
        kind = _kind(given)
        for name in self.names:
            step = _STEPS[name]
            if kind not in step.takes:
                raise RuleError(f"`{name}` takes {step.takes[0]}, not {_shown(given)}", fix=_FIXES[step.takes[0]])
            if step.gives:
                break  # what follows was judged when the chain was read
        if keyword and (self.gives or kind) not in _KEYWORDS:
            raise RuleError(f"a keyword can't be {self.gives or kind}", fix="name a field for it")

    def modifiers(self, field: str | None) -> list[Modifier]:
        """Return the modifiers as pySigma runs them, for the values of one item."""
        item: Any = _Item(field)
        classes = [MODIFIERS[name] for name in self.names]
        return [each(item, classes[:number], None) for number, each in enumerate(classes)]


def modified(value: SigmaType, modifiers: Sequence[Modifier]) -> list[SigmaType]:
    """Return what modifiers make of a value."""
    values = [value]
    for modifier in modifiers:
        values = [made for each in values for made in modifier.apply(each)]
    return values


@lru_cache(maxsize=1024)
def read(text: str) -> Chain:
    """Read what stands behind a field's `|`; raise TextError where modifiers don't go together."""
    names, kinds, offset = list[str](), _WRITTEN, 0
    for name in text.split("|"):
        try:
            kinds = _after(name, names, kinds)
        except RuleError as error:
            raise TextError(error.message, offset, error.fix) from None
        names.append(name)
        offset += len(name) + 1
    changing = tuple(name for name in names if name not in _OF_LISTS)
    gives = "" if kinds <= _WRITTEN else next(iter(kinds))
    return Chain(changing, gives, "all" in names, "neq" in names)


def _after(name: str, before: Sequence[str], kinds: frozenset[str]) -> frozenset[str]:
    """Return what values of these kinds may be after one more modifier."""
    if not name:
        raise RuleError("a `|` without a modifier", fix="take it away, or name one")
    if name not in MODIFIERS:
        raise RuleError(f"unknown modifier `{name:.80}`", fix=nearest(name, MODIFIERS))
    if name != "base64" and any(MODIFIERS[each] is MODIFIERS[name] for each in before):
        raise RuleError(f"`{name}` stands twice", fix="keep one of them")
    if len(before) == MAX_LENGTH:
        raise RuleError(f"more than {MAX_LENGTH} modifiers", fix="leave out what the others do already")
    if name in _OF_LISTS:
        return kinds
    step, changing = _STEPS[name], [each for each in before if each not in _OF_LISTS]
    if step.first and changing:
        raise RuleError(f"`{name}` can't follow `{changing[-1]}`", fix="put it right behind the field")
    left = kinds.intersection(step.takes)
    if not left:
        follows = f", so it can't follow `{changing[-1]}`" if changing else ""
        fix = _FIXES[REGEX] if step.takes[0] == REGEX else "keep one of them"
        raise RuleError(f"`{name}` takes {step.takes[0]}{follows}", fix=fix)
    return frozenset({step.gives}) if step.gives else left


def _kind(given: object) -> str:
    if given is None:
        return NULL
    if isinstance(given, bool):
        return BOOLEAN
    return NUMBER if isinstance(given, int | float) else TEXT


def _shown(given: object) -> str:
    kind = _kind(given)
    if kind == TEXT:
        return f"the text '{given!s:.80}'"
    if kind == NUMBER:
        return f"the number {given!s:.80}"
    return "null" if kind == NULL else str(given).lower()
