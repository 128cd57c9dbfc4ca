"""The parsers of all sources, each made when it is first asked for: most logs are of few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.parser import DefinedParser


class Parsers(Mapping[str, DefinedParser]):
    """Parsers by the names of their sources; arguments are those of `DefinedParser`."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        *,
        year: int | None = None,
        zone: str | None = None,
        enrichment: Enrichment | None = None,
    ) -> None:
        self._definitions = definitions
        self._make = partial(DefinedParser, year=year, zone=zone, enrichment=enrichment)
        self._made: dict[str, DefinedParser] = {}

    def __getitem__(self, source: str) -> DefinedParser:
        if source not in self._made:
            self._made[source] = self._make(self._definitions[source])
        return self._made[source]

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)
