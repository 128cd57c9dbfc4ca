"""How two bodies of templates, roles or policies differ, in whatever form Elasticsearch gives them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

OWN: Final = frozenset({"_meta", "metadata", "fingerprint"})  # says nothing to people
# What Elasticsearch adds to what it was given.
ADDED: Final = frozenset({"allow_restricted_indices", "run_as", "transient_metadata", "created_date_millis",
                          "modified_date_millis", "created_date", "modified_date"})  # fmt: skip


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[str]:
    """Yield `+ path: value`, `- path: value` and `~ path: old → new`, in order of paths."""
    old, new = dict(_leaves(before or {})), dict(_leaves(after))
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            yield f"+ {path}: {new[path]}"
        elif path not in new:
            yield f"- {path}: {old[path]}"
        elif old[path] != new[path]:
            yield f"~ {path}: {old[path]} → {new[path]}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key not in OWN | ADDED:
                yield from _leaves(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if value and isinstance(value[0], Mapping):
            for place, each in enumerate(value):
                yield from _leaves(each, f"{path}[{place}]")
        elif value:
            yield path, ", ".join(map(_text, value))
    else:
        yield path, _text(value)


def _text(value: object) -> str:
    """Return a value as Elasticsearch would give it back: numbers and truths of settings come back as texts."""
    return str(value).lower() if isinstance(value, bool) else str(value)
