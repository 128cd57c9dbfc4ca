"""What is told of this process is what was done in it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.process import since_start


def test_memory_that_was_held_is_counted_when_it_is_gone() -> None:
    code = "from flows.process import peak_memory as p; a = p(); len(bytes(10**8) + b'x'); print(a, p())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    before, after = map(float, done.stdout.split())
    assert after > before + 90


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells when a process began")
def test_moments_are_told_by_the_start_of_the_process() -> None:
    now = time.monotonic()
    told, earlier = since_start(now), since_start(now - 0.5)
    assert told is not None
    assert earlier is not None
    assert 0 < earlier < told
    assert told - earlier == pytest.approx(0.5, abs=0.05)


def test_what_never_was_has_no_moment() -> None:
    assert since_start(None) is None
