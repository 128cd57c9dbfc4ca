"""A few short texts one of which stands in every text that holds any of many: a coarse sieve, ten times as fast.

Searching for a handful of short literals runs at memory speed; searching for twenty long ones in any case does not.
What the sieve lets through is searched properly.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from detectors.sigma.glob import escape

_LENGTH = 3
_SIGNS = re.compile(r"[^\w\s]{2}", re.ASCII)  # the `::` of lsadump:: and misc::skeleton
_MOST = 4  # fragments, from which on the sieve is no faster than the search itself (measured: 3 take a tenth of it)
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
    left, chosen = set(range(len(texts))), list[str]()
    while left:
        best = min(owners, key=lambda each: (-len(owners[each] & left), sum(map(str.isalpha, each)), each), default="")
        if not best or not owners[best] & left or len(chosen) == _MOST:
            return None
        chosen.append(_grown(best, [texts[number] for number in owners[best] & left]))
        left -= owners[best]
    return "(?i-u)" + "|".join(map(escape, chosen)) if chosen else None


def _fragments(text: str) -> set[str]:
    """Return the pieces of a text that are rare enough to be worth a search: three characters, or two signs."""
    if len(text) < _LENGTH:
        return {text} - {""}
    pieces = {text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)}
    return pieces.union(_SIGNS.findall(text))


def _grown(fragment: str, texts: Sequence[str]) -> str:
    """Return the longest piece around a fragment that all of these texts hold: rarer texts are searched faster."""
    shortest = min(texts, key=len)
    begin = shortest.index(fragment)
    end = begin + len(fragment)
    while end < len(shortest) and all(shortest[begin : end + 1] in text for text in texts):
        end += 1
    while begin and all(shortest[begin - 1 : end] in text for text in texts):
        begin -= 1
    return shortest[begin:end]
