"""What is said of rule files: where, how bad, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from detectors.errors import Place, RuleError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """A fault of a rule file (error), or something that is probably not meant so (warning)."""

    place: Place
    severity: Severity
    code: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        """Return `place: message; fix`, a warning named as one."""
        named = "warning: " * (self.severity == "warning")
        return f"{self.place}: {named}{self.message}{'; ' * bool(self.fix)}{self.fix}"

    def document(self) -> dict[str, Any]:
        """Return the remark for editors; lines and columns are counted from 1."""
        place = {"file": self.place.file, "line": max(self.place.line, 1), "column": max(self.place.column, 1)}
        return {**place, "severity": self.severity, "code": self.code, "message": self.message, "fix": self.fix}


def of_fault(fault: RuleError) -> Remark:
    """Return why a rule can't be read as a remark."""
    return Remark(fault.place or Place(""), "error", "invalid", fault.message, fault.fix)
