"""What the system knows of this process: how much memory it held, and when it began."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path


def peak_memory() -> float:
    """Return the most memory this process has held so far, in MB (10⁶ bytes)."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    except (OSError, IndexError):  # not Linux, where a process also inherits what its parent held
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def since_start(moment: float | None) -> float | None:
    """Return how many seconds after the start of this process a moment of `time.monotonic` was, if Linux tells that."""
    try:
        started = int(Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[19]) / os.sysconf(
            "SC_CLK_TCK"
        )
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError):
        return None
    return None if moment is None else round(moment - time.monotonic() + age, 3)
