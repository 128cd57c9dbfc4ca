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
        ("netbios:", "netbois:", "did you mean 'netbios'?"),
        ("staff: 20", "stafff: 20", "did you mean 'staff'?"),
        ("visits_per_hour", "visits_per_hours", "did you mean 'visits_per_hour'?"),
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


def test_a_network_must_hold_its_people(tmp_path: Path) -> None:
    error, _ = fault(tmp_path, "10.53.113.0/24", "10.53.113.0/28")
    assert "has room for 5 people, not 8" in str(error)


def test_some_server_must_face_the_internet(tmp_path: Path) -> None:
    error, _ = fault(tmp_path, ", open: true", "")
    assert "`open: true`" in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"nowhere\.yml"):
        load(tmp_path / "nowhere.yml")
