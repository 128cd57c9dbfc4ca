"""Prefect, told how to behave before it is imported: it reads its environment once.

Nothing phones home. Without a server (`PREFECT_API_URL`) it starts a temporary one, which takes some seconds on a fast
machine and much longer on a busy one.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from detectors.errors import SocError

DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLIENT_METRICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_HOME": str(Path(".soc/prefect").absolute()),
    "DO_NOT_TRACK": "1",
}
for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)  # Prefect makes the last folder only

from prefect import flow, task  # noqa: E402 - after the environment is set
from prefect.artifacts import create_markdown_artifact  # noqa: E402
from prefect.logging import get_run_logger  # noqa: E402


def _plainly(record: logging.LogRecord) -> bool:
    """Leave the traceback out of an error that says itself what to do."""
    if record.exc_info and isinstance(record.exc_info[1], SocError):
        record.msg, record.args, record.exc_info = "%s", (str(record.exc_info[1]),), None
    return True


logging.getLogger("prefect.flow_runs").addFilter(_plainly)
logging.getLogger("prefect.task_runs").addFilter(_plainly)

__all__ = ["create_markdown_artifact", "flow", "get_run_logger", "task"]
