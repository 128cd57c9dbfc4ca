"""Every error the program raises on purpose.

SocError                 anything a user can read and act on
├── UsageError           a wrong command line or setting          (exit code 2)
├── RuleError            one rule that can't be read or run        (costs that rule)
├── DefinitionError      one source definition that is wrong       (costs that source)
├── InputError           a file or archive that can't be read      (costs the rest of that file)
└── UnavailableError     a server that doesn't answer (yet)        (costs time)

A message names the thing, the place and the fix.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a fault is: a file and, when known, a line and a column counted from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, the form editors and terminals turn into a link."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column or 1}"


class SocError(Exception):
    """A fault with its place and, when there is one, what to do about it."""

    def __init__(self, message: str, *, place: Place | None = None, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.fix = fix

    def __str__(self) -> str:
        """Return `place: message; fix`."""
        where = f"{self.place}: " if self.place else ""
        todo = f"; {self.fix}" if self.fix else ""
        return f"{where}{self.message}{todo}"

    def lines(self) -> list[str]:
        """Return what to tell people, a line for each fault."""
        return [str(self)]


class UsageError(SocError):
    """The command line or a setting is wrong."""


class RuleError(SocError):
    """A rule can't be read or can't be run."""


class DefinitionError(SocError):
    """A source definition is wrong."""


class InputError(SocError):
    """A file, archive member or stream can't be read (any further)."""


class UnavailableError(SocError):
    """A server doesn't answer; try again later."""
