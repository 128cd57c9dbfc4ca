"""How far the archive was looked at: one small file per set and way, so that a restart goes on where it was."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def read(folder: Path, name: str) -> datetime | None:
    """Return until when it was looked; nothing if nobody did, or the file says nothing."""
    try:
        return datetime.fromisoformat(_file(folder, name).read_text("ascii").strip())
    except (OSError, ValueError):
        return None


def write(folder: Path, name: str, until: datetime) -> None:
    """Remember until when it was looked, whole or not at all."""
    path = _file(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(until.isoformat(), "ascii")
    fresh.replace(path)


def _file(folder: Path, name: str) -> Path:
    return folder / f".{name}.scored"
