"""What pydantic refuses of YAML that people write, in our words: what is wrong, and what to write instead.

late: soon    →    late: 'soon' is no whole number; write a number such as 5
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from detectors.nearest import meant

Path = tuple[int | str, ...]
SHOWN: Final = 60  # characters of what was written
SECRET: Final = frozenset({"password", "api_key", "token", "urls"})  # keys whose values are shown nowhere
# A kind of fault, by how pydantic's name of it begins: what isn't there, and what to write.
KINDS: Final = {
    "int": ("no whole number", "write a number such as 5"),
    "float": ("no number", "write a number such as 2.5"),
    "bool": ("neither true nor false", "write true or false"),
    "string_type": ("no text", "write a text, in quotes if it looks like something else"),
    "path": ("no path", "write one path as text"),
    "list": ("no list", "write [a, b], or a line with `- ` for each"),
    "tuple": ("no list", "write [a, b], or a line with `- ` for each"),
    "dict": ("no map of keys to values", "write `key: value`, a line for each, further in"),
    "model": ("no map of keys to values", "write `key: value`, a line for each, further in"),
    "dataclass": ("no map of keys to values", "write `key: value`, a line for each, further in"),
    "date": ("no day", "write a day such as 2026-03-09"),
    "time": ("no time of day", 'write it in quotes: "22:00"'),
    "ip_v": ("no network", "write 10.52.9.0/24 or 2001:db8::/32"),
    "ip_any_address": ("no address", "write 10.52.9.7 or 2001:db8::7"),
}
BOUNDS: Final = {"greater_than": "more than", "greater_than_equal": "at least", "less_than": "less than",
                 "less_than_equal": "at most"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fault: where it is in the document, what is wrong, and what to write instead."""

    path: Path
    message: str
    fix: str = ""
    key: bool = False  # it is the last step of the path that is wrong, or lacking
    whole: bool = False  # the message says what it is about

    @property
    def named(self) -> str:
        """The message, with the keys that lead to it."""
        steps = self.path[:-1] if self.key else self.path
        return f"{'.'.join(map(str, steps))}: {self.message}" if steps and not self.whole else self.message


def refusals(error: ValidationError, value: object, keys: Callable[[Path], Sequence[str]]) -> Iterator[Refusal]:
    """Yield the faults of a document; `keys` tells which keys the map at a path may have."""
    found: dict[Path, Refusal] = {}
    for fault in error.errors(include_url=False):
        path = _path(fault["loc"], value, missing=fault["type"] == "missing")
        found.setdefault(path, _refusal(path, fault, keys))
    for path, refusal in found.items():  # of the ways in which something may be written, the one that was meant
        if not any(other[: len(path)] == path and other != path for other in found):
            yield refusal


def keys_of(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys that the map at a path of a model may have; none where it is no model's."""
    inner: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, str) and inner is not None:
            known = {field.alias or name: field.annotation for name, field in inner.model_fields.items()}
            inner = _model(known.get(step))
    return [field.alias or name for name, field in inner.model_fields.items()] if inner is not None else []


def _model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model in an annotation such as `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in getattr(annotation, "__args__", ()) if (found := _model(each))), None)


def _path(where: Path, value: object, *, missing: bool) -> Path:
    """Return the steps that are in the document, and a last one that should be."""
    path: list[int | str] = []
    for number, step in enumerate(where):
        below = _below(value, step)
        if below is not None:
            path, value = [*path, step], below[0]
        elif missing and number == len(where) - 1:
            path.append(step)
    return tuple(path)


def _below(value: object, step: int | str) -> tuple[object] | None:
    """Return what is at a step, if there is one; other steps name the kinds that pydantic tried."""
    if isinstance(value, Mapping):
        return (value[step],) if step in value else None
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return (value[step],)
    return None


def _refusal(path: Path, fault: Mapping[str, Any], keys: Callable[[Path], Sequence[str]]) -> Refusal:
    kind = str(fault["type"])
    if kind == "extra_forbidden":
        return _unknown(path, keys(path[:-1]))
    if kind == "missing":
        return _missing(path)
    if kind == "value_error":
        return Refusal(path, fault["msg"].removeprefix("Value error, "), whole=True)
    written, (what, fix) = _written(path, fault["input"]), _wrong(kind, fault)
    return Refusal(path, f"{written} is {what}" if what else f"{written}: {fault['msg']}", fix)


def _missing(path: Path) -> Refusal:
    last = path[-1] if path else ""
    what = f"there are {last}, and one is missing" if isinstance(last, int) else f"the key `{last}` is missing"
    return Refusal(path, what, "add it", key=True)


def _wrong(kind: str, fault: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a value is not, and what to write."""
    context = fault.get("ctx", {})
    if kind == "literal_error":
        return f"none of {context['expected']}", _nearest(fault["input"], context["expected"])
    if kind in BOUNDS:
        return "out of bounds", f"write {BOUNDS[kind]} {next(iter(context.values()))}"
    if kind == "string_pattern_mismatch":
        return "not written as it must be", f"it has to fit {context['pattern']}"
    if kind.endswith("too_short"):
        return "too short", f"write {context.get('min_length', 1)} or more"
    return next((said for begin, said in KINDS.items() if kind.startswith(begin)), ("", ""))


def _unknown(path: Path, known: Sequence[str]) -> Refusal:
    fix = meant(str(path[-1]), known) or (f"known keys: {', '.join(known)}" if known else "leave it out")
    return Refusal(path, f"unknown key `{path[-1]!s:.60}`", fix, key=True)


def _written(path: Path, value: object) -> str:
    if SECRET.intersection(map(str, path)):
        return "what stands there"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _nearest(value: object, expected: str) -> str:
    return meant(str(value), expected.replace(" or ", ", ").replace("'", "").split(", ")) or "write one of them"
