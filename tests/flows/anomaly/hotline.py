"""Some weeks of a small hotline, and a night on which one agent exports what was never hers to open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

START = datetime(2026, 3, 1, 17, tzinfo=UTC)  # midnight of Monday 2 March in Vietnam
DAYS = 35
NIGHT = START + timedelta(days=DAYS - 4)


def write(folder: Path, *, seed: int = 1, agents: int = 24, rush: int = 1) -> Path:
    """Write the log; in the last week everybody does `rush` times as much."""
    random, lines = Random(seed), []  # noqa: S311  the same lines every time
    for day in range(DAYS):
        for agent in range(agents):
            if (START + timedelta(days=day, hours=8)).weekday() >= 5:
                continue
            for _ in range(random.randrange(4, 9) * (rush if day >= DAYS - 7 else 1)):
                at = START + timedelta(days=day, hours=8, seconds=random.randrange(2 * 3600))
                lines.append((at, f"agent{agent:02}", random.choice(["view", "update", "call"]), f"10.9.0.{agent}"))
    night = (NIGHT + timedelta(hours=2, seconds=40 * number) for number in range(120))
    lines += [(at, "agent07", "export", "10.9.0.99") for at in night]
    path = folder / "hotline-1022.ndjson"
    with path.open("w") as file:
        for at, user, action, ip in sorted(lines):
            record = {"time": at.isoformat(), "user": user, "action": action, "result": "ok", "ip": ip,
                      "unit": "1022", "ticket": "T1", "phone": "", "message": ""}  # fmt: skip
            file.write(json.dumps(record) + "\n")
    return path
