"""What exact detectors cry wolf about: weeks of a province's log lines, of which the last two hold no attack."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.archive import Archive
from connectors.simulator.write import write
from connectors.store import Store
from detectors.anomaly.anomaly import Anomaly
from flows import assembly
from flows.anomaly import watching
from flows.anomaly.room import room
from flows.bench.table import table
from flows.commands.simulate import START
from flows.scanning import scan
from flows.sections import Anomaly as Anomalies
from flows.settings import Settings

JUDGED: Final = timedelta(days=14)  # the last ones; attacks of the simulator are over after three days
LATER: Final = timedelta(hours=1)  # after the end everything has come


def costs(days: int, seed: int) -> dict[str, Any]:
    """Play the lines, archive them as a scan does, and count what each exact detector tells of the last two weeks."""
    with TemporaryDirectory(prefix="soc-quiet-") as name:
        folder = Path(name)
        settings = Settings(
            store=folder / "store.sqlite",
            archive=folder / "archive",
            cache=folder / "cache",
            own_rules=False,
            anomaly=Anomalies(models=folder / "models", key=folder / "key"),
        )
        store = Store(settings.store)
        written = write(folder / "logs", seed, START, days)
        scan(written.logs, assembly.assemble(settings), store, archive=Archive(settings.archive))
        store.close()
        told = cried(settings, *judged(settings, days))
        return {
            "seed": seed,
            "days": days,
            "lines": sum(written.lines.values()),
            "told": dict(sorted(Counter(one.detector for one in told).items())),
            "per_day": len(told) / JUDGED.days,
            "texts": [f"{one.entity}: {one.text.en}" for one in told],
        }


def judged(settings: Settings, days: int) -> tuple[datetime, datetime]:
    """Return from when on windows are judged, and when all has come; in UTC, as the archive has its times."""
    end = datetime.combine(START + timedelta(days=days), time.min, ZoneInfo(settings.zone)).astimezone(UTC)
    return end - JUDGED, end + LATER


def cried(settings: Settings, since: datetime, now: datetime) -> list[Anomaly]:
    """Return what the exact detectors of all feature sets tell of an archive's windows between two times."""
    where = room(settings, now, lambda _: None)
    return [one for chosen in where.sets.values() if chosen.watches for one in watching.watch(where, chosen, since)]


def shown(told: dict[str, Any]) -> str:
    """Return what was counted, for people."""
    rows = [(name, count) for name, count in told["told"].items()]
    return "\n".join(
        [
            *([table(("exact detector", "false anomalies"), rows), "", *told["texts"], ""] if rows else []),
            f"{told['lines']:,} lines of {told['days']} days: {told['per_day']:.2f} false anomalies a day by exact "
            f"detectors in the last {JUDGED.days} days, which hold no attack",
        ]
    )
