"""YAML documents to rules; every fault of a document is told at once, with its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID, uuid5

from detectors.contracts import LogSource
from detectors.errors import RuleError
from detectors.meta import Meta
from detectors.nearest import meant, nearest
from detectors.schema import LEVELS
from detectors.sigma.asks import Asks, asks
from detectors.sigma.detection import Detection
from detectors.sigma.document import Document, documents
from detectors.sigma.rule import Rule, semantics
from detectors.sigma.valuelist import Lists
from detectors.telling import broken

STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
_LOGSOURCE = ("category", "product", "service", "definition")  # others may stand there, and say nothing to an engine
NAMELESS = UUID("0c2f4b0e-7d0b-5a52-9d5a-3c1f0e7b6a11")  # namespace of ids for rules that bring none
_T = TypeVar("_T")
_LENGTH = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Own:
    """This program's own section of a rule, `soc`."""

    group_by: tuple[str, ...] = ()
    window: int = 0  # seconds
    signal: bool = False
    title_vi: str = ""
    falsepositives_vi: tuple[str, ...] = ()
    message: str = ""
    message_vi: str = ""


_NO_OWN = Own()
_NOTHING_ASKED: Asks = ((), ())


def rules(text: str, file: str, lists: Lists | None = None) -> Iterator[Rule | RuleError]:
    """Yield the detection rules of a YAML text, and for each document that can't be one a RuleError per fault.

    `lists` fills placeholders (`expand` modifier). Correlations (see `detectors.content`) and filters are not detection
    rules: they are refused by name rather than ignored.
    """
    for document in documents(text, file):
        if isinstance(document, RuleError):
            yield document
        else:
            yield from rule(document, lists or {})


def rule(document: Document, lists: Lists) -> Iterator[Rule | RuleError]:
    """Yield the detection rule of a document, or every fault it has."""
    foreign = _foreign(document)
    if foreign is not None:
        yield foreign
        return
    faults: list[RuleError] = []
    words = meta(document, faults)
    name = collect(faults, lambda: named(document), "")
    source = collect(faults, lambda: logsource(document), LogSource())
    detection = Detection(document, lists)
    tree = detection.tree()
    faults += detection.faults
    if faults:
        yield from sorted(faults, key=lambda fault: fault.place or document.place())
        return
    what = semantics(source, tree)
    yield Rule(
        meta=replace(words, id=words.id or str(uuid5(NAMELESS, what))),
        logsource=source,
        condition=tree,
        place=document.place(),
        semantics=what,
        waits_for=tuple(sorted(detection.missing)),
        name=name,
    )


def meta(document: Document, faults: list[RuleError]) -> Meta:
    """Read what a document says of itself; its id is "" where it brings none."""
    data = document.data
    title = collect(faults, lambda: _title(document), "")
    given = collect(faults, lambda: _id(document), None)
    level = collect(faults, lambda: _one_of(document, "level", LEVELS), "")
    status = collect(faults, lambda: _one_of(document, "status", STATUSES), "")
    own = collect(faults, lambda: _own(document), _NO_OWN)
    source = collect([], lambda: logsource(document), None)  # a rule that needs one and has none is told so elsewhere
    questions, names = collect(faults, lambda: asks(document, source), _NOTHING_ASKED)
    return Meta(
        id=given or "",
        title=title,
        level=level or "medium",
        status=status,
        description=_text(data.get("description")),
        author=_text(data.get("author")),
        license=_text(data.get("license")),
        references=_texts(data.get("references")),
        tags=_texts(data.get("tags")),
        falsepositives=_texts(data.get("falsepositives")),
        runbook=_text(data.get("runbook")),
        title_vi=own.title_vi,
        falsepositives_vi=own.falsepositives_vi,
        message=own.message,
        message_vi=own.message_vi,
        group_by=own.group_by,
        window=own.window,
        signal=own.signal,
        questions=questions,
        asks=names,
    )


def named(document: Document) -> str:
    """Read the name by which correlations may refer to a document; "" where it has none."""
    name = document.data.get("name")
    if name is None:
        return ""
    if not isinstance(name, str) or not name.strip():
        raise RuleError("`name` is not a text", place=document.place("name"), fix="put it in quotes")
    return name.strip()


def _foreign(document: Document) -> RuleError | None:
    """Say why a document is another kind of Sigma document, if it is."""
    for kind in ("correlation", "filter"):
        if isinstance(document.data.get(kind), dict):
            return RuleError(f"a Sigma {kind} is not run by this version", place=document.key(kind))
    taxonomy = document.data.get("taxonomy", "sigma")
    if taxonomy != "sigma":
        message = f"the taxonomy `{taxonomy!s:.80}` is not known"
        return RuleError(message, place=document.place("taxonomy"), fix="use the field names of the taxonomy `sigma`")
    if "action" in document.data:
        message = "rule collections with `action` are not run"
        return RuleError(message, place=document.key("action"), fix="write each rule whole")
    return None


def collect(faults: list[RuleError], read: Callable[[], _T], instead: _T) -> _T:
    """Return what `read` gives; a fault that it raises is put down, and costs its part only."""
    try:
        return read()
    except RuleError as error:
        faults.append(error)
        return instead


def _title(document: Document) -> str:
    title = document.data.get("title")
    if title is not None and not isinstance(title, str):
        raise RuleError("`title` is not a text", place=document.place("title"), fix="write one, in quotes if need be")
    if not isinstance(title, str) or not title.strip():
        raise RuleError("no title", place=document.place("title"), fix="add `title:`")
    return title.strip()


def _id(document: Document) -> str | None:
    given = document.data.get("id")
    if given is None:
        return None  # the specification lets a rule go without; its detection names it then
    try:
        return str(UUID(str(given)))
    except ValueError:
        raise RuleError(
            f"the id {str(given)!r:.80} is not a UUID", place=document.place("id"), fix="make one with `uuidgen`"
        ) from None


def _one_of(document: Document, key: str, legal: tuple[str, ...]) -> str:
    given = document.data.get(key)
    if given is None:
        return ""
    if isinstance(given, str) and given in legal:
        return given
    raise RuleError(f"{key} {str(given)!r:.80} is not known", place=document.place(key), fix=nearest(str(given), legal))


def _own(document: Document) -> Own:
    """Read this program's own section `soc`: how findings of the rule are grouped, what they say, if it has any."""
    own = document.data.get("soc")
    if own is None:
        return _NO_OWN
    if not isinstance(own, dict):
        raise RuleError(
            "`soc` is not a map", place=document.place("soc"), fix="write `group-by:` or `window:` under it"
        )
    signal = own.get("signal", False)
    if not isinstance(signal, bool):
        place = document.place("soc", "signal")
        raise RuleError("`signal` is neither true nor false", place=place, fix="write one of them, without quotes")
    return Own(
        group_by=_texts(own.get("group-by")),
        window=_window(document, own.get("window", 0)),
        signal=signal,
        title_vi=_words(document, own, "title", "vi"),
        falsepositives_vi=_texts(_spoken(document, own, "falsepositives").get("vi")),
        message=_words(document, own, "message", "en"),
        message_vi=_words(document, own, "message", "vi"),
    )


def _words(document: Document, own: Mapping[str, object], key: str, language: str) -> str:
    """Read the words of a language, `message: {en: …, vi: …}`; a template of these must be whole."""
    text = str(_spoken(document, own, key).get(language) or "").strip()
    if key == "message" and broken(text):
        place = document.place("soc", key, language)
        raise RuleError(
            "a brace of `message` names no field", place=place, fix="write {user.name}, and no other braces"
        )
    return text


def _spoken(document: Document, own: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Read what is said in several languages."""
    given = own.get(key)
    if given is not None and not isinstance(given, Mapping):
        raise RuleError(f"`{key}` is not a map", place=document.place("soc", key), fix="write `en:` and `vi:` under it")
    return given or {}


def _window(document: Document, given: object) -> int:
    """Read a length in seconds: 900, 15m, 4h or 1d."""
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    if isinstance(given, str) and (written := _LENGTH.fullmatch(given)):
        return int(written[1]) * _UNITS[written[2]]
    raise RuleError(
        "`window` is not a number of seconds", place=document.place("soc", "window"), fix="write 900, 15m, 4h or 1d"
    )


def logsource(document: Document) -> LogSource:
    """Read the log source of a document."""
    given = document.data.get("logsource")
    if given is not None and not isinstance(given, dict):
        fix = "write `category:`, `product:` or `service:` under it"
        raise RuleError("`logsource` is not a map", place=document.place("logsource"), fix=fix)
    if not isinstance(given, dict):
        raise RuleError("no logsource", place=document.place("logsource"), fix="add `logsource:` with a category")
    for key in given:
        if key not in _LOGSOURCE and (word := meant(str(key), _LOGSOURCE)):
            raise RuleError(f"logsource.{key} is not known", place=document.key("logsource", key), fix=word)
    parts = {key: given.get(key) for key in _LOGSOURCE[:3]}
    for key, part in parts.items():
        if part is not None and not isinstance(part, str):
            raise RuleError(f"logsource.{key} is not a text", place=document.place("logsource", key))
    if not any(parts.values()):
        raise RuleError(
            "a logsource without category, product or service",
            place=document.place("logsource"),
            fix="name at least one",
        )
    return LogSource(**{key: part.lower() if part else None for key, part in parts.items()})


def _text(value: object) -> str:
    if isinstance(value, Mapping):  # a runbook in several languages
        return "\n\n".join(f"[{key}] {text}" for key, text in value.items())
    return "" if value is None else str(value).strip()


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)
