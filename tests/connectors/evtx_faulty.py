"""A parser of event logs that breaks at one record: `python evtx_faulty.py hang|crash|grow|quit RECORD_ID`.

With `brief 0` it breaks nowhere, but answers one chunk at a time.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from connectors import evtx_worker

FAULTS: dict[str, Callable[[], object]] = {
    "hang": lambda: sum(itertools.repeat(0)),  # native code that never returns and never looks at signals
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "grow": lambda: bytearray(evtx_worker.MEMORY),
    "quit": lambda: os._exit(7),
}


def parse(chunk: bytes) -> evtx_worker.Parsed:
    found = evtx_worker.parse(chunk)
    if int(sys.argv[2]) in found.ids:
        FAULTS[sys.argv[1]]()
    return found


if __name__ == "__main__":
    if sys.argv[1] == "brief":
        evtx_worker.ANSWER = 0
    evtx_worker.confine()
    evtx_worker.serve(parse)
