"""The questions of a rule, `soc: questions:`: shared ones by name, and its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from detectors.contracts import LogSource
from detectors.errors import RuleError
from detectors.meta import DAY, Question
from detectors.nearest import nearest
from detectors.questions import LOOKS, MEANS, catalogue
from detectors.sigma.document import Document
from detectors.telling import broken

_KEYS = tuple(each.name for each in fields(Question))
_LONGEST = 366 * 86_400  # seconds around a finding
_FORM = "write a list of names, or of maps with vi, en and means"

Asks = tuple[tuple[Question, ...], tuple[str, ...]]  # its own, and the names of shared ones


def asks(document: Document, source: LogSource | None) -> Asks:
    """Read which questions a rule asks: those that it names, or else those of its log source.

    Raises:
        RuleError: a question is no question, with its place.
    """
    own = document.data.get("soc")
    given = own.get("questions") if isinstance(own, Mapping) else None
    if given is None:
        return (), catalogue().of(source)
    if not isinstance(given, list) or not given:
        raise RuleError("`questions` is not a list", place=document.place("soc", "questions"), fix=_FORM)
    questions = [_question(document, at, each) for at, each in enumerate(given) if isinstance(each, Mapping)]
    return tuple(questions), tuple(
        _name(document, at, each) for at, each in enumerate(given) if not isinstance(each, Mapping)
    )


def _name(document: Document, at: int, given: object) -> str:
    known = catalogue().questions
    if given in known:
        return str(given)
    message = f"no shared question is called {str(given)!r:.80}"
    raise RuleError(message, place=document.place("soc", "questions", at), fix=nearest(str(given), [*known]))


def _question(document: Document, at: int, given: Mapping[str, object]) -> Question:
    path = ("soc", "questions", at)
    for key in given:
        if key not in _KEYS:
            raise RuleError(
                f"a question has no `{key!s:.80}`", place=document.key(*path, key), fix=nearest(str(key), _KEYS)
            )
    for key in ("en", "vi"):
        text = given.get(key)
        if not isinstance(text, str) or not text.strip().endswith("?") or broken(text):
            raise RuleError(
                f"`{key}` is no question",
                place=document.place(*path, key),
                fix="write a sentence that ends with ?, with {user.name} for values and no other braces",
            )
    look, by = given.get("look", LOOKS[1]), given.get("by", [])
    for key, value, legal in (("means", given.get("means"), MEANS), ("look", look, LOOKS)):
        if value not in legal:
            raise RuleError(
                f"`{key}` is {value!s:.80}", place=document.place(*path, key), fix=f"write {' or '.join(legal)}"
            )
    names: list[object] = by if isinstance(by, list) else [by]
    if not all(isinstance(name, str) and name for name in names):
        raise RuleError("`by` names no fields", place=document.place(*path, "by"), fix="write [user.name, source.ip]")
    en, vi, means = (str(given[key]).strip() for key in ("en", "vi", "means"))
    before, after = (_seconds(document, (*path, key), given.get(key, DAY)) for key in ("before", "after"))
    return Question(en, vi, means, str(look), tuple(map(str, names)), before, after)


def _seconds(document: Document, path: tuple[object, ...], given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _LONGEST:
        return given
    raise RuleError(f"`{path[-1]}` is no number of seconds", place=document.place(*path), fix=f"write 0 to {_LONGEST}")
