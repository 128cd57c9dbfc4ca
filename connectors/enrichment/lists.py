"""Lists of addresses that the operator supplies: exits of TOR, VPN providers, scanners; a text file each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import polars as pl

from connectors.enrichment.prefixes import Network, Prefixes
from detectors.errors import DefinitionError, Place


@dataclass(frozen=True, slots=True)
class Lists:
    """Networks by the name of their list."""

    prefixes: Mapping[str, Prefixes] = field(default_factory=dict)
    faults: tuple[DefinitionError, ...] = ()  # lines and files that were left out, and why

    def __bool__(self) -> bool:
        return bool(self.prefixes)

    def of(self, addresses: pl.Series) -> pl.Series:
        """Return the names of the lists that each address is on (a list of texts); null where there are none."""
        columns = [
            pl.select(pl.when(one.look_up(addresses).is_not_null()).then(pl.lit(name))).to_series().alias(name)
            for name, one in self.prefixes.items()
        ]
        names = pl.concat_list(pl.all()).list.drop_nulls()
        return pl.DataFrame(columns).select(pl.when(names.list.len() > 0).then(names).alias("lists"))["lists"]


def read(paths: Iterable[Path]) -> Lists:
    """Read files of addresses and networks, one a line; `tor.txt` is the list `tor`. `#` begins a remark."""
    found: dict[str, Prefixes] = {}
    faults: list[DefinitionError] = []
    for path in paths:
        for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
            found[file.stem] = Prefixes.of(_networks(file, faults))
    return Lists(found, tuple(faults))


def _networks(path: Path, faults: list[DefinitionError]) -> list[Network]:
    try:
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        fix = "correct the path, or who may read it"
        faults.append(DefinitionError(f"can't be read: {error.strerror}", place=Place(str(path)), fix=fix))
        return []
    networks: list[Network] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        try:
            networks += [ip_network(text, strict=False)] if text else []
        except ValueError:
            fix = "write an address or a network, such as 192.0.2.0/24"
            faults.append(DefinitionError(f"{text!r:.60} is no address", place=Place(str(path), number), fix=fix))
    return networks
