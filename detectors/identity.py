"""Names that hold for ever: of events, matches and findings.

A name never contains a run time, a row number or an index name, so any batch run twice, in another order, or killed
half-way gives the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl

GROUP = 1_000  # characters of a group key that are kept
DIGITS = 32  # hexadecimal ones of a name
SEPARATOR = "\x1f"  # ASCII unit separator, before every part; a part's own is escaped


class Begun:
    """What sequences of texts begin with, hashed once for all of their names."""

    def __init__(self, parts: Iterable[str]) -> None:
        self._hash = hashlib.sha256(written(*parts))

    def digest(self, parts: Iterable[str]) -> str:
        """Return 32 hexadecimal digits (128 bits of SHA-256) that name the sequence that goes on so."""
        return self.ended(written(*parts))

    def ended(self, rest: bytes) -> str:
        """Do as `digest` does with parts that are written already."""
        whole = self._hash.copy()
        whole.update(rest)
        return whole.hexdigest()[:DIGITS]


def digest(parts: Iterable[str]) -> str:
    """Return 32 hexadecimal digits (128 bits of SHA-256) that name this sequence of texts."""
    return Begun(parts).ended(b"")


def group_key(text: str) -> str:
    """Return a group key as it is kept: of a long one its beginning, and a digest that keeps it apart."""
    return text if len(text) <= GROUP else f"{text[:GROUP]} … {digest((text,))}"


def written(*parts: str) -> bytes:
    """Return parts of a name as they are hashed: escaped, each after its separator."""
    return "".join(map(_escaped, parts)).encode("utf-8", "surrogatepass")


def _escaped(part: str) -> str:
    return SEPARATOR + part.replace("\\", "\\\\").replace(SEPARATOR, "\\u")


def event_id(source: str, origin: str, offset: int, index: int, original: str) -> str:
    """Name an event by its source, its position there, and what stands there.

    The raw text is part of the name because two files may begin alike (their origin is a fingerprint of their head).
    """
    return digest(("event", source, origin, str(offset), str(index), original))


def event_ids(source: str, origins: Sequence[str], events: pl.DataFrame) -> list[str]:
    """Name many events of one source (RECORD), each from its origin, as `event_id` does."""
    heads = {origin: written("event", source, origin).decode() for origin in {*origins}}
    head = pl.Series(map(heads.__getitem__, origins)) if len(heads) > 1 else next(iter(heads.values()), "")
    place = (pl.col(name).cast(pl.String).fill_null(str(None)) for name in ("log.offset", "soc.index"))
    parts = (pl.lit(head), *(SEPARATOR + each for each in place), _escaping(pl.col("event.original")))
    texts: list[bytes] = events.select(pl.concat_str(parts).cast(pl.Binary)).to_series().to_list()
    return [hashlib.sha256(text).hexdigest()[:DIGITS] for text in texts]


def match_id(rule_id: str, semantics: str, event_ids: Iterable[str]) -> str:
    """Name a match by its rule, the rule's semantic hash, and the events that matched, in any order."""
    return matches_of(rule_id, semantics).digest(sorted(event_ids))


def matches_of(rule_id: str, semantics: str) -> Begun:
    """Return what the names of a rule's matches begin with: the ids of their events follow, in order."""
    return Begun(("match", rule_id, semantics))


def match_ids(rule_id: str, semantics: str, pairs: pl.DataFrame) -> list[str]:
    """Name many matches of one rule, each of a pair of names (two columns of texts), as `match_id` does."""
    one, other = (pl.col(name) for name in pairs.columns)
    first, second = pl.when(one <= other).then(one).otherwise(other), pl.when(one <= other).then(other).otherwise(one)
    texts = pairs.select(pl.concat_str(*(_escaping(each) for each in (first, second)))).to_series().to_list()
    begun = matches_of(rule_id, semantics)
    return [begun.ended(text.encode()) for text in texts]


def _escaping(part: pl.Expr) -> pl.Expr:
    """Do as `_escaped` does."""
    whole = part.str.replace_all("\\", "\\\\", literal=True).str.replace_all(SEPARATOR, "\\u", literal=True)
    return pl.concat_str(pl.lit(SEPARATOR), whole)


def finding_id(rule_id: str, group: str, anchor: datetime) -> str:
    """Name a finding by its rule, its group key and the start of its window in event time (UTC)."""
    return digest(("finding", rule_id, group, anchor.isoformat()))


def successor_id(finding: str, step: int) -> str:
    """Name what is said of a finding after it was told: 1 withdraws it, 2 tells it again, and so on."""
    return digest(("successor", finding, str(step))) if step else finding


def suppressed_id(match: str, exception: str) -> str:
    """Name what an exception took: without the exception the match has its own name again."""
    return digest(("suppressed", match, exception))


def block_id(rule_id: str, columns: Iterable[str], event_ids: Iterable[str]) -> str:
    """Name matches that are kept together by their rule, what is kept of them, and their events, in any order."""
    return digest(("block", rule_id, *sorted(columns), *sorted(event_ids)))
