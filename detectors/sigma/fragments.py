"""A few short texts one of which stands in every text that holds any of many: a coarse sieve, ten times as fast.

Searching for a handful of short literals runs at memory speed; searching for twenty long ones in any case does not.
What the sieve lets through is searched properly.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from detectors.sigma.glob import escape

_LENGTH = 3
_SIGNS = re.compile(r"[^\w\s]{2}", re.ASCII)  # the `::` of lsadump:: and misc::skeleton
# Spellings of all fragments together (`a:b` has four) up to which a search for any of them runs at memory speed; with
# more it is no faster than the search itself (measured: 64 of three characters take a fourteenth of it, 80 as long).
_SPELLINGS = 64
_MOST = 16  # fragments; finding more would take long
_WORTH = 500  # texts; more hardly share so few fragments, and finding out would take long


def sieve(texts: Sequence[str]) -> str | None:
    """Return a regular expression found, in any ASCII case, wherever one of the (ASCII) texts is; None: not worth it.

    >>> sieve(["lsadump::", "misc::skeleton", "gentilkiwi.com", "kiwi legit"])
    '(?i-u)::|kiwi'
    """
    if len(texts) > _WORTH:
        return None
    owners: dict[str, set[int]] = defaultdict(set)
    for number, text in enumerate(texts):
        for fragment in _fragments(text):
            owners[fragment].add(number)
    left, chosen = set(range(len(texts))), dict[str, list[str]]()
    while left:
        best = min(owners, key=lambda each: (-len(owners[each] & left), _spellings(each), each), default="")
        held = owners[best] & left if best else ()
        if not held or len(chosen) == _MOST:
            return None
        chosen[best] = [texts[number] for number in held]
        left -= owners[best]
    return _pattern(chosen)


def _pattern(chosen: Mapping[str, Sequence[str]]) -> str | None:
    """Return a pattern of fragments, each grown as far as its texts and the number of spellings allow."""
    spare = _SPELLINGS - sum(map(_spellings, chosen))
    if not chosen or spare < 0:
        return None
    grown = list[str]()
    for fragment, texts in chosen.items():
        spare += _spellings(fragment)
        grown.append(_grown(fragment, texts, spare))
        spare -= _spellings(grown[-1])
    return "(?i-u)" + "|".join(map(escape, grown))


def _spellings(fragment: str) -> int:
    """Return in how many ways upper and lower case can spell a fragment."""
    return int(2 ** sum(map(str.isalpha, fragment)))


def _fragments(text: str) -> set[str]:
    """Return the pieces of a text that are rare enough to be worth a search: three characters, or two signs."""
    if len(text) < _LENGTH:
        return {text} - {""}
    pieces = {text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)}
    return pieces.union(_SIGNS.findall(text))


def _grown(fragment: str, texts: Sequence[str], most: int) -> str:
    """Return a long piece around a fragment that all of these texts hold, of at most so many spellings.

    Rarer texts are searched faster.
    """

    def serves(begin: int, end: int) -> bool:
        piece = shortest[begin:end]
        return _spellings(piece) <= most and all(piece in text for text in texts)

    shortest = min(texts, key=len)
    begin = shortest.index(fragment)
    end = begin + len(fragment)
    while end < len(shortest) and serves(begin, end + 1):
        end += 1
    while begin and serves(begin - 1, end):
        begin -= 1
    return shortest[begin:end]
