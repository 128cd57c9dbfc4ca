"""What is said of a source that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.errors import UsageError
from detectors.nearest import meant


def no_source(name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a source that isn't among these; it names the one that is meant, if one is near."""
    fix = meant(name, sorted(known)) or "`soc sources list` names all of them"
    return UsageError(f"no source is called {name!r:.80}", fix=fix)
