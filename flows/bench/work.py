"""What is measured: which logs, by which rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.files import FileSource
from connectors.gathered import gathered, together
from connectors.parsers import Parsers
from connectors.recognise import recogniser
from detectors.contracts import Batch
from flows import assembly, settings
from flows.assembly import Parts
from flows.ruleset import RuleSet
from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Work:
    """Logs and rules, as the command line names them."""

    paths: tuple[Path, ...]
    rules: tuple[Path, ...]
    config: Path | None = None
    cache: Path | None = None  # of compiled rules, instead of that of the settings

    def parts(self) -> Parts:
        """Load definitions and rules, as a scan does."""
        return assembly.assemble(self._settings(), self.rules)

    def load_rules(self) -> RuleSet:
        """Load the rules alone."""
        return assembly.load_rules(self._settings(), self.rules)

    def batches(self, parts: Parts) -> Iterator[Batch]:
        """Read the logs; lines too long to be records are left aside."""
        files = FileSource(self.paths, recogniser(parts.definitions), dead=lambda _: None, joined=True)
        try:
            yield from gathered(files.batches(), together(parts.definitions))
        finally:
            files.close()

    def _settings(self) -> Settings:
        read = settings.load(self.config)
        return read.model_copy(update={"cache": self.cache}) if self.cache else read


def parsers(parts: Parts) -> Parsers:
    """Return a parser per source."""
    return Parsers(parts.definitions, enrichment=parts.enrichment)
