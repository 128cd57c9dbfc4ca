"""What SigmaHQ's rules and our own find in logs of ordinary machines: false alarms per 1,000 events, rule by rule.

    python -m tests.falsealarms [--rules DIR]... [--json] [PATH...]

Nothing in these logs is labelled, and machines on the Internet are attacked all the time: the server logs (marked so)
hold scans and guessed passwords, and what finds those is no false alarm. The event logs are of ordinary machines.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.store import Store
from flows import assembly
from flows.ruleset import own_rules
from flows.scanning import scan
from flows.settings import Settings
from tests.conftest import REFERENCE

BENIGN = {
    "evtx/benign-edge": "event logs of ordinary machines",
    "web/apache_logs_10k": "a public web server, scans among its visits",
    "loghub": "servers and devices, some of them attacked",
}


@dataclass(frozen=True, slots=True)
class Alarms:
    """What rules found in a place."""

    path: str
    note: str
    events: int
    matches: dict[str, int]  # rule id → matches

    @property
    def rate(self) -> float:
        """Matches per 1,000 events."""
        return 1000 * sum(self.matches.values()) / self.events if self.events else 0.0


def count(parts: assembly.Parts, path: Path, note: str = "") -> Alarms:
    """Run all rules over a file or folder."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store.sqlite"))
        try:
            seen = scan([path], parts, store).statistics
        finally:
            store.close()
    return Alarms(str(path), note, seen.events, dict(seen.matches.most_common()))


def document(parts: assembly.Parts, alarms: Sequence[Alarms]) -> dict[str, Any]:
    """Return what was found as plain data."""
    metas = {meta.id: meta for meta in parts.rules.metas()}
    return {
        each.path: {
            "note": each.note,
            "events": each.events,
            "per_1000": round(each.rate, 3),
            "rules": [
                {"id": name, "title": metas[name].title, "level": metas[name].level, "matches": matches,
                 "per_1000": round(1000 * matches / each.events, 3)}
                for name, matches in each.matches.items()
            ],
        }
        for each in alarms
    }  # fmt: skip


def main() -> None:
    """Print the alarms of each place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="logs (default: the benign ones of the reference logs)")
    parser.add_argument("--rules", type=Path, action="append", help="(default: SigmaHQ's and our own)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for path in args.paths:
        if not path.exists():
            parser.error(f"there is nothing at {path}")
    parts = assembly.assemble(Settings(), args.rules or [REFERENCE / "rules", own_rules()])
    places = dict.fromkeys(args.paths, "") or {REFERENCE / name: note for name, note in BENIGN.items()}
    told = document(parts, [count(parts, path, note) for path, note in places.items()])
    if args.json:
        print(json.dumps(told, indent=2))
        return
    for path, found in told.items():
        print(f"{path} ({found['note']}): {found['events']:,} events, {found['per_1000']:.2f} matches per 1,000")
        for rule in found["rules"]:
            print(f"  {rule['per_1000']:>9.3f}  {rule['matches']:>6,}  {rule['level']:<13} {rule['title']}")


if __name__ == "__main__":
    main()
