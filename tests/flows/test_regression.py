"""SigmaHQ's own regression sets: each recorded attack fires its rule as often as its authors say."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from connectors.store import Store
from detectors.sigma.logsources import routes
from flows import assembly
from flows.assembly import Parts
from flows.scanning import scan
from flows.settings import Settings

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def parts(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    cache = tmp_path_factory.mktemp("cache")
    return assembly.assemble(Settings(cache=cache), [reference / "rules"])


def test_every_rule_of_the_set_compiles(parts: Parts) -> None:
    assert not parts.rules.faults
    assert len(parts.rules.rules) > 3_700
    waiting = {name for rule in parts.rules.rules for name in rule.waits_for}
    assert waiting == {"known_cdcs"}


def test_every_set_fires_its_rule_as_often_as_it_should(parts: Parts, reference: Path, tmp_path: Path) -> None:
    wrong = {}
    with (reference / "index" / "sigma_regression_index.csv").open(newline="") as index:
        sets = list(csv.DictReader(index))
    for number, row in enumerate(sets):
        for kind in ("*.evtx", "*.json"):
            found = _matches(parts, sorted((reference / row["dir"]).glob(kind)), tmp_path / f"{number}{kind[2:]}")
            fired, told = found[row["rule_id"]], row["match_count_in_info_yml"]
            if fired != int(told) if told.isdigit() else not fired:
                wrong[row["rule_title"], kind] = (fired, told)
    assert len(sets) == 40
    assert not wrong


def _matches(parts: Parts, paths: list[Path], store: Path) -> Counter[str]:
    kept = Store(store)
    done = scan(paths, parts, kept, source="windows")
    kept.close()
    assert not done.outcome.faults
    return done.statistics.matches


def test_every_windows_and_linux_rule_has_a_way_to_its_events(parts: Parts) -> None:
    # `file_access` comes by ETW and `file_rename` from no log we know: a source must declare them itself
    stranded = {
        str(rule.logsource)
        for rule in parts.rules.rules
        if rule.logsource.product in ("windows", "linux")
        and not any(routes(rule.logsource, one.dialect.logsource) for one in parts.definitions.values())
    }
    assert stranded == {"windows/file_access", "windows/file_rename"}
