"""A flame graph of a scan: which function called which, and for how long.

pyinstrument looks at the stack a thousand times a second. That hardly slows a scan, whose time goes to native code; a
tracing profiler (cProfile) would charge small functions for being counted, and knows callers but no whole stacks.
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from connectors.store import Store
from detectors.errors import UsageError
from flows.bench.work import Work
from flows.pipeline import Pipeline

RENDERERS = {".html": "HTMLRenderer", ".json": "SpeedscopeRenderer", ".txt": "ConsoleRenderer"}


def flame(work: Work, out: Path) -> None:
    """Carry the logs through the pipeline in this process and thread, and write the flame graph.

    Its suffix says what it is: a page, a file for speedscope.app, or text.

    Raises:
        UsageError: the suffix is none of these, or pyinstrument is not installed.
    """
    library = _library(out)
    profiler = library.Profiler(async_mode="disabled")
    with tempfile.TemporaryDirectory(prefix="soc-bench-") as folder, profiler:
        parts = work.parts()
        store = Store(Path(folder) / "store.sqlite")
        pipeline = Pipeline(parts.definitions, parts.engine, parts.detections, store)
        for batch in work.batches(parts):
            pipeline.process(batch)
        store.close()
    renderer = getattr(import_module("pyinstrument.renderers"), RENDERERS[out.suffix])()
    out.write_text(profiler.output(renderer), "utf-8")


def _library(out: Path) -> Any:  # noqa: ANN401 - a module that need not be there
    if out.suffix not in RENDERERS:
        raise UsageError(f"no flame graph can be written to {out}", fix=f"name a file {' or '.join(RENDERERS)}")
    try:
        return import_module("pyinstrument")
    except ImportError:
        raise UsageError("a flame graph needs pyinstrument", fix="pip install pyinstrument") from None
