"""The count of false alarms."""

from __future__ import annotations

from pathlib import Path

from flows import assembly
from flows.settings import Settings
from tests import falsealarms

RULE = """title: Login refused
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux, service: sshd}
detection: {keywords: [Failed], condition: keywords}
"""


def test_matches_are_counted_per_thousand_events(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(RULE)
    lines = [
        f"Mar  9 08:00:0{at} web01 sshd[7]: {'Failed' if at == 0 else 'Accepted'} password for a" for at in range(4)
    ]
    (tmp_path / "auth.log").write_text("\n".join(lines) + "\n")
    parts = assembly.assemble(Settings(cache=tmp_path / "cache"), [tmp_path / "r.yml"])
    told = falsealarms.document(parts, [falsealarms.count(parts, tmp_path / "auth.log", "a note")])
    (found,) = told.values()
    assert (found["events"], found["per_1000"], found["note"]) == (4, 250.0, "a note")
    assert [(rule["title"], rule["matches"]) for rule in found["rules"]] == [("Login refused", 1)]
