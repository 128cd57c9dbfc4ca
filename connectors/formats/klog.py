r"""Logs of Kubernetes components (klog): nginx ingress controller, kubelet, kube-proxy; stack traces are joined.

    E1215 04:15:13.816036       8 config.go:489] Expected to load root CA config from /var/run/secrets/…

Own columns: the groups of the pattern, and `timestamp`, which has no year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import Fitted

LINE: Final = (
    r"(?s)^(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d+) +(?P<thread>\d+) "
    r"(?P<file>[^:\]]+):(?P<line>\d+)\] (?P<message>.*)$"
)


@dataclass(frozen=True, slots=True)
class Klog(Fitted):
    """Reads klog."""

    name: ClassVar[str] = "klog"
    patterns: ClassVar[Sequence[str]] = (LINE,)
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"timestamp": ("month", "day", "clock")}
    key: ClassVar[str] = "level"
    reason: ClassVar[str] = "not a line of klog"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        month = pl.col("month").replace_strict(clocks.MONTHS, default=None, return_dtype=pl.String)
        frame = frame.with_columns(timestamp=pl.concat_str(month, "day", "clock", separator=" "))
        return frame.drop("month", "day", "clock")
