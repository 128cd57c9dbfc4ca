"""The description of the province: what people get wrong when they write one, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.simulator.province import BUILT_IN, load
from detectors.errors import DefinitionError

GOOD = BUILT_IN.read_text(encoding="utf-8")


def fault(folder: Path, old: str, new: str) -> tuple[DefinitionError, int]:
    """Return the fault of a changed description, and the line that was changed."""
    assert old in GOOD
    path = folder / "province.yml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load(path)
    return caught.value, GOOD[: GOOD.index(old)].count("\n") + 1


def test_the_built_in_description_is_right() -> None:
    assert load().domain == "gialai.example"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("netbios:", "netbois:", "did you mean `netbios`?"),
        ("staff: 20", "stafff: 20", "did you mean `staff`?"),
        ("visits_per_hour", "visits_per_hours", "did you mean `visits_per_hour`?"),
        ("Asia/Ho_Chi_Minh", "Asia/Pleiku", "IANA time zone"),
        ("staff: 8", "staff: 0", "units.5.staff"),
        ("10.55.240.0/24", "10.55.240.0/29", "has room for 0 people, not 4"),
        ('["07:00", "11:30"]', '["11:30", "07:00"]', "the morning before the afternoon"),
        ("10.55.0.11", "10.55.0.311", "servers.0.ip"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    error, line = fault(tmp_path, old, new)
    assert said in str(error)
    assert error.place is not None
    assert error.place.file == str(tmp_path / "province.yml")
    # a fault of a part as a whole is told where the part begins
    assert line - 2 <= error.place.line <= line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("10.52.11.0/24", "10.52.9.128/25", "units.1.network: 10.52.9.128/25 overlaps 10.52.9.0/24 of units.0.network"),
        ("10.55.240.0/24", "10.53.0.0/16", "administrators.network: 10.53.0.0/16 overlaps"),
        ("10.55.32.0/24", "10.52.13.0/24", "hotline.network: 10.52.13.0/24 overlaps"),
        ("code: H21.11", "code: H21.09", "units.1.code: H21.09 stands there twice"),
        ("name: web02", "name: web01", "servers.1.name: web01 stands there twice"),
        ("10.55.0.12", "10.55.0.11", "servers.1.ip: the address 10.55.0.11 is taken"),
        ("ip: 10.55.16.2}", "ip: 10.55.0.5}", "controllers.1.ip: the address 10.55.0.5 is taken"),
        ("holidays: []", "holidays: [2026-05-04, 2026-05-04]", "holidays.1: 2026-05-04 stands there twice"),
        ("holidays: []", "holidays: [2026-02-30]", "2026-02-30 is no day"),
        ("[tax_notices, payments]", "[tax_notice, payments]", "did you mean `tax_notices`?"),
        ("from: 03-01", "from: 02-31", "'02-31' is no day of a year"),
        ("times: 1.5", "times: 0", "seasons.0.times"),
        ("times: 1.5", "time: 1.5", "did you mean `times`?"),
    ],
)
def test_what_contradicts_the_rest_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    error, line = fault(tmp_path, old, new)
    assert said in str(error)
    assert error.place is not None
    assert error.place.line == line


def test_a_network_must_hold_its_people(tmp_path: Path) -> None:
    error, _ = fault(tmp_path, "10.53.113.0/24", "10.53.113.0/28")
    assert "has room for 5 people, not 8" in str(error)


def test_some_server_must_face_the_internet(tmp_path: Path) -> None:
    error, _ = fault(tmp_path, ", open: true", "")
    assert "`open: true`" in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"nowhere\.yml"):
        load(tmp_path / "nowhere.yml")
