r"""Windows events as JSON lines, in every shape that shippers write; one event has the same columns in each.

    {"Event": {"System": {"EventID": 4625, …}, "EventData": {"TargetUserName": "lan"}}}     evtx, evtx_dump
    {"winlog": {"event_id": "4625", "event_data": {"TargetUserName": "lan"}}}               Winlogbeat 7 and later
    {"event_id": 4625, "log_name": "Security", "event_data": {"TargetUserName": "lan"}}     Winlogbeat 5 and 6
    {"EventID": 4625, "SourceName": "Microsoft-…", "TargetUserName": "lan"}                 NXLog

Own columns: those of `CORE`, and the event's data fields under their own names; unnamed data is the list `Data`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.json_lines import Lines, Reading, read, read_records
from connectors.windows_event import NXLOG, pick

# where a flat record has an own column: NXLog's keys for it, and its own name
KEYS: Final = {name: tuple(dict.fromkeys([*(key for own, key in NXLOG if own == name), name])) for name, _ in NXLOG}
# keys that a record of NXLog's doesn't have: the values of all others stand deeper
SHAPED: Final = pl.col("line").str.contains_any([f'"{key}"' for key in ("Event", "winlog", "event_data", "log_name")])


@dataclass(frozen=True, slots=True)
class Windows:
    """Reads the four shapes, also mixed in one batch."""

    name: ClassVar[str] = "windows"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return self.parse_lines(Lines(original), wanted)

    def parse_lines(self, lines: Lines, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Do the same with lines that their source has in another way as well."""
        if wanted is None:
            return read_records(lines.original, pick, None)
        keys = {name: KEYS.get(name, (name,)) for name in sorted(wanted)}
        return read(lines, Reading(pick, keys, SHAPED))
