"""Events made of what rules ask for: most satisfy their rule, some miss it by a character.

Real logs satisfy few of the rules; here each gets its chance. Which events do is for engine and oracle to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from itertools import cycle
from random import Random
from typing import Final

from detectors.sigma import glob
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Or, Predicate, predicates
from detectors.sigma.rule import Rule
from tests.property.oracle_regex import example

Event = dict[str, str]
Piece = tuple[bool, str, bool]  # a part of a text; whether the text begins with it; whether it ends with it

LUCK: Final = 0.25  # how often what a rule excludes is there
TEXT: Final = "message"  # the field for what is asked of whole events
FILLERS: Final = {glob.ANY: "any thing", glob.ONE: "1"}

# What becomes of texts on their way through systems
CHANGES: Final[tuple[Callable[[str, Random], str], ...]] = (
    lambda text, _: text.swapcase(),
    lambda text, _: text.upper(),
    lambda text, _: text.title(),
    lambda text, _: text + " ",
    lambda text, _: text + "\n",
    lambda text, _: "\n" + text,
    lambda text, _: text.replace("\\", "\\\\"),
    lambda text, _: text.replace("\\", "/"),
    lambda text, _: text.replace(" ", "\u00a0"),  # a blank that doesn't break lines
    lambda text, _: text.replace("-", "\u2013"),
    lambda text, _: text.replace("k", "\u212a"),  # the Kelvin sign
    lambda text, _: text.replace("s", "\u017f"),  # a long s
    lambda text, _: text.replace("i", "\u0130"),  # a capital I with a dot
    lambda text, _: text.replace("a", "\u00c1"),
    lambda text, _: text + ".0",
    lambda text, chance: _spliced(text, chance, ""),
    lambda text, chance: _spliced(text, chance, chance.choice("*?%_\\'\"x\0")),
)


def events(rule: Rule, count: int) -> Iterator[Event]:
    """Yield `count` events for a rule, and each of them with each field changed, empty and missing; always the same."""
    chance = Random(rule.meta.id)  # noqa: S311  # no secret
    changes = cycle(chance.sample(CHANGES, len(CHANGES)))
    for _ in range(count):
        event = _event(rule.condition, chance)
        yield event
        for name, text in event.items():
            yield event | {name: next(changes)(text, chance)}
            yield event | {name: ""}
            yield {other: text for other, text in event.items() if other != name}


def _spliced(text: str, chance: Random, piece: str) -> str:
    """Replace a character by a piece."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + piece + text[at + 1 :]


def _event(condition: Node, chance: Random) -> Event:
    pieces: dict[str, list[Piece]] = defaultdict(list)
    references = []
    for predicate in _chosen(condition, chance):
        if predicate.op in REFERENCE_OPS:
            references.append(predicate)
        elif predicate.op not in ABSENCE_OPS:
            pieces[TEXT if predicate.field is None else predicate.field].append(_piece(predicate, chance))
    event = {name: _joined(found) for name, found in pieces.items()}
    for reference in references:
        event[str(reference.field)] = event.setdefault(reference.values[0], "referred to").swapcase()
    return event


def _chosen(node: Node, chance: Random) -> Iterator[Predicate]:
    """Yield predicates that together make a condition true, unless they contradict each other."""
    match node:
        case Predicate():
            yield node
        case And(parts):
            for part in parts:
                yield from _chosen(part, chance)
        case Or(parts):
            yield from _chosen(chance.choice(parts), chance)
        case Not(part) if chance.random() < LUCK:
            yield from _chosen(part, chance)
        case Not(part):  # a field may have to be there for it to be something else
            names = {predicate.field: None for predicate in predicates(part)}
            yield from (Predicate(name, "present") for name in names if chance.random() < LUCK)


def _piece(predicate: Predicate, chance: Random) -> Piece:
    value = chance.choice(predicate.values or ("anything",))
    match predicate.op:
        case "like":
            parts = glob.parts(value)
            text = "".join(FILLERS[text] if wild else text for wild, text in parts)
            return parts[0] != (True, glob.ANY), text, parts[-1] != (True, glob.ANY)
        case "regex":
            return value.startswith(("^", "(?i)^")), example(value, chance), value.endswith("$")
        case "cidr":
            return True, _address(value, chance), True
        case "bool":
            return True, chance.choice((value, value.title(), str(int(value == "true")))), True
        case op:
            whole = op in ("equals", "number")
            return whole or op == "startswith", value, whole or op == "endswith"


def _address(network: str, chance: Random) -> str:
    """Return an address of a network, or nearly one, in one of its spellings."""
    addresses = ip_network(network)
    address = addresses[chance.choice((0, addresses.num_addresses // 2, addresses.num_addresses - 1))]
    return chance.choice((str(address), address.exploded.upper(), f"{address}.example", f"::ffff:{address}"))


def _joined(pieces: list[Piece]) -> str:
    """Return a text with all pieces; of those that want to be all of it, the first is."""
    whole = next((text for begins, text, ends in pieces if begins and ends), None)
    if whole is not None:
        return whole
    first = [text for begins, text, _ in pieces if begins]
    last = [text for _, text, ends in pieces if ends]
    between = [text for begins, text, ends in pieces if not begins and not ends]
    return "".join((*first[:1], " x ", " ".join([*first[1:], *between, *last[1:]]), *last[:1]))
