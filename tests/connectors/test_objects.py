"""Machine code is kept, and loaded without the compiler; what it was made of decides whether it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from connectors import native, objects
from connectors.patterns import letters, machine, program, syntax

CHECKOUT = Path(__file__).parents[2]
MODULE = """from typing import NamedTuple
import numpy as np
from connectors.native import compiled

class Pair(NamedTuple):
    numbers: object
    weights: object

@compiled
def weighed(pair, beyond):
    numbers, weights = pair
    total = 0
    for place in range(numbers.size + beyond):
        total += numbers[place] * weights[0, place]
    return total

@compiled
def negative(number):
    return number < 0

@compiled
def halved(number):
    return number / 2
"""
ASK = """import sys
import numpy as np
from weighing import Pair, halved, negative, weighed
pair = Pair(np.arange(4, dtype=np.int32), np.array([[1, 2, 3, -40]]))
print(weighed(pair, int(sys.argv[1])), negative(-1), negative(1), *([halved(3)] if "half" in sys.argv else []))
print("numba" in sys.modules, file=sys.stderr)"""


def asked(folder: Path, *words: str, settings: dict[str, str] | None = None) -> tuple[str, bool]:
    """Return what a process of its own says, and whether it compiled anything; or the last line of its error."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{folder}", "NUMBA_CACHE_DIR": str(folder), **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.splitlines()[-1], done.stderr.strip() == "True"


def test_code_is_kept_until_the_text_it_was_made_of_changes(tmp_path: Path) -> None:
    (tmp_path / "weighing.py").write_text(MODULE)
    assert asked(tmp_path, "0") == ("-112 True False", True)
    assert asked(tmp_path, "0") == ("-112 True False", False)
    for kept in tmp_path.glob("weighing.weighed-*.cache"):
        kept.write_bytes(kept.read_bytes()[:-1])
    assert asked(tmp_path, "0") == ("-112 True False", True)
    (tmp_path / "weighing.py").write_text(MODULE.replace("number < 0", "number > 0"))
    assert asked(tmp_path, "0") == ("-112 False True", True)


def test_code_depends_on_all_that_its_module_imports_in_one_line_or_in_several() -> None:
    texts = objects.sources(machine.__name__).split(b"\0")
    for module in (machine, program, syntax, letters, native):
        assert Path(str(module.__file__)).read_bytes() in texts


def test_checked_code_refuses_what_lies_beyond_an_array_and_floats_are_left_to_numba(tmp_path: Path) -> None:
    (tmp_path / "weighing.py").write_text(MODULE)
    checked = {"NUMBA_BOUNDSCHECK": "1"}
    told, _ = asked(tmp_path, "1", settings=checked)
    assert told.startswith("IndexError: ")
    assert asked(tmp_path, "0", "half", settings=checked) == ("-112 True False 1.5", True)
