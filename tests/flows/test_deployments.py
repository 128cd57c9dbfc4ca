"""What Prefect runs by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import cli, deployments


def test_flows_run_by_the_clock_of_the_province(tmp_path: Path) -> None:
    made = {
        f"{each.flow_name}/{each.name}": each
        for each in deployments.deployments(tmp_path / "soc.yml", "Asia/Ho_Chi_Minh")
    }
    assert set(made) == {
        "score/hourly", "watch-drift/daily", "train/weekly", "reckon/often", "report/weekly", "report/monthly",
        "watch-sources/hourly", "clean-archive/daily",
    }  # fmt: skip
    for one in made.values():
        (schedule,) = one.schedules or []
        assert schedule.schedule.timezone == "Asia/Ho_Chi_Minh"  # type: ignore[union-attr]
        assert one.parameters["config"] == str(tmp_path / "soc.yml")
        assert one.concurrency_limit == 1
    periods = {name: one.parameters.get("period") for name, one in made.items() if name.startswith("report")}
    assert periods == {"report/weekly": "week", "report/monthly": "month"}
    assert made["score/hourly"].schedules[0].schedule.cron == "12 * * * *"  # type: ignore[index, union-attr]


def test_without_a_server_it_says_what_to_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["deploy"]) == 2
    assert "prefect server start" in capsys.readouterr().err
