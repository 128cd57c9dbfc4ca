"""A time zone of the command line is a name or an offset; anything else is refused with what to write."""

from __future__ import annotations

import pytest

from detectors.errors import UsageError
from flows.cli import main
from flows.commands.options import zone


def test_a_zone_is_a_name_or_an_offset() -> None:
    assert [zone(text) for text in ("Asia/Ho_Chi_Minh", "UTC", "+07:00", "-0430")] == [
        "Asia/Ho_Chi_Minh",
        "UTC",
        "+07:00",
        "-0430",
    ]


@pytest.mark.parametrize("text", ["Mars/Base", "local", "../etc/passwd", ""])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time zone; write Asia/Ho_Chi_Minh"):
        zone(text)


def test_a_wrong_zone_is_a_usage_error_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "--zone", "Mars/Base", "x.log"]) == 2
    assert "'Mars/Base' is no time zone" in capsys.readouterr().err
