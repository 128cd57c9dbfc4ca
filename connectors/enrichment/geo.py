"""Country, city and network operator of public addresses, where the operator supplies MaxMind files.

The reader is the package `maxminddb`, the extra `geoip`: few need it, so it isn't among those locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import polars as pl

from detectors.errors import Place, UsageError

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "geo.country_iso_code": ("country", "iso_code"),
    "geo.country_name": ("country", "names", "en"),
    "geo.region_name": ("subdivisions", "0", "names", "en"),
    "geo.city_name": ("city", "names", "en"),
    "as.number": ("autonomous_system_number",),
    "as.organization.name": ("autonomous_system_organization",),
}
NUMBERS: Final = frozenset({"as.number"})
PROBES: Final = tuple(f"{first}.0.0.1" for first in range(1, 224))  # asked when a file is opened


Get = Callable[[str], object]


class Geo:
    """MaxMind files, asked once per distinct address. What stands in a damaged part of a file isn't known."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Open the files; those without a reader, or damaged, stand in `faults`."""
        self._getters: list[Get] = []
        self.faults: list[UsageError] = []
        for path in paths:
            try:
                self._getters.append(_getter(path))
            except UsageError as error:
                self.faults.append(error)

    def __bool__(self) -> bool:
        return bool(self._getters)

    def look_up(self, addresses: pl.Series, fields: Sequence[str]) -> pl.DataFrame:
        """Return these of FIELDS for each address; null where nothing is known."""
        distinct = addresses.unique().drop_nulls().alias("address")
        records = [self._record(address) for address in distinct.to_list()]
        columns = [
            pl.Series(name, [_inner(record, FIELDS[name]) for record in records],
                      dtype=pl.Int64 if name in NUMBERS else pl.String, strict=False)
            for name in fields
        ]  # fmt: skip
        table = pl.DataFrame([distinct, *columns])
        frame = addresses.alias("address").to_frame()
        return frame.join(table, on="address", how="left", maintain_order="left").drop("address")

    def _record(self, address: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for get in self._getters:
            try:
                record = get(address)
            except (ValueError, RuntimeError):  # an IPv6 address in a file of IPv4 ones; damage
                continue
            if isinstance(record, dict):
                found |= record
        return found


def _getter(path: Path) -> Get:
    try:
        maxminddb = import_module("maxminddb")
    except ImportError:
        raise UsageError(
            "MaxMind files (`enrichment.geoip`) need the package maxminddb, which isn't installed",
            place=Place(str(path)),
            fix="install the extra `geoip`: pip install '.[geoip]' in the checkout, or pip install 'maxminddb>=3,<4'",
        ) from None
    try:
        get: Get = maxminddb.open_database(path).get
        for address in PROBES:
            get(address)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        missing = isinstance(error, FileNotFoundError)
        message = "there is no such file" if missing else f"no MaxMind file, or a damaged one: {error}"
        raise UsageError(
            message, place=Place(str(path)), fix="correct the path" if missing else "download it again"
        ) from None
    return get


def _inner(record: Any, path: Sequence[str]) -> Any:  # noqa: ANN401  whatever the file holds
    for step in path:
        if isinstance(record, list):
            record = record[int(step)] if step.isdigit() and int(step) < len(record) else None
        elif isinstance(record, dict):
            record = record.get(step)
        else:
            return None
    return record if isinstance(record, str | int) else None
