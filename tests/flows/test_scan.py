"""`soc scan`, `soc hunt` and `soc findings` as their users call them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from tests.flows.guesses import LINE, RULE, lay_out


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rule and a log, and nothing of ours."""
    monkeypatch.chdir(tmp_path)
    return lay_out(tmp_path)


def scan(*more: str) -> int:
    return main(["scan", "logs", "--rules", "rules", "--year", "2026", *more])


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_findings_go_to_a_file_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--out", "f.ndjson", "--matches", "m.ndjson", "--stats", "s.json") == 0
    (finding,) = lines("f.ndjson")
    assert finding["rule"]["name"] == "Password guessed at"
    assert finding["event"]["severity"] == 73
    assert finding["threat"]["technique"]["id"] == ["T1110.001"]
    assert finding["source"]["ip"] == ["203.0.113.9"]
    assert finding["soc"]["count"] == 10
    assert finding["soc"]["evidence"][0]["event.original"] == LINE.format(minute=0).strip()
    assert len(lines("m.ndjson")) == 10
    stats = json.loads(Path("s.json").read_text())
    assert stats["events"] == 15
    assert stats["matches"] == {"00000000-0000-4000-8000-000000000001": 10}
    assert stats["rules_blind"] == 0
    assert {"bytes", "seconds", "events_per_second", "rules_loaded", "rules_failed", "parse_failures"} <= stats.keys()
    assert 20 < stats["peak_rss_mb"] < 4000
    assert stats["first_finding_seconds"] is None or stats["first_finding_seconds"] > 0
    out, err = capsys.readouterr()
    assert "Password guessed at" in out
    assert "15 events of 1 files" in err


def test_rules_that_can_never_match_are_counted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blind = RULE.replace("0001", "0002").replace("keywords: ['Failed", "keywords: {usr: 'Failed").replace("']", "'}")
    (place / "rules" / "blind.yml").write_text(blind)
    assert scan("--stats", "s.json") == 0
    assert json.loads(Path("s.json").read_text())["rules_blind"] == 1
    assert "1 rule blind on these sources: `soc rules blind` tells why" in capsys.readouterr().err
    assert main(["rules", "blind", "rules", "--source", "auth"]) == 0
    assert "Password guessed at: lacks usr (there is user)" in capsys.readouterr().out


def test_the_same_files_give_the_same_findings_wherever_they_stand(place: Path) -> None:
    scan("--out", "one.ndjson")
    (place / "logs").rename(place / "elsewhere")
    main(["scan", "elsewhere", "--rules", "rules", "--year", "2026", "--out", "two.ndjson"])
    assert [f["event"]["id"] for f in lines("one.ndjson")] == [f["event"]["id"] for f in lines("two.ndjson")]


def test_the_exit_code_tells_of_severe_findings_and_of_lost_work(place: Path) -> None:
    assert scan("--fail-on", "high") == 1
    assert scan("--fail-on", "critical") == 0
    (place / "logs" / "odd.bin").write_bytes(bytes(range(256)) * 40)
    assert scan() == 3
    assert main(["scan", "logs", "--rules", "none"]) == 2
    assert main(["scan", "logs", "--source", "nonesuch"]) == 2


def test_a_broken_rule_and_a_bad_line_cost_only_themselves(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "rules" / "broken.yml").write_text(RULE.replace("keywords\n", "keyword\n").replace("0001\n", "0002\n"))
    with (place / "logs" / "auth.log").open("a") as log:
        log.write("x" * 2_000_000 + "\n" + LINE.format(minute=30))
    assert scan("--dead", "d.ndjson", "--stats", "s.json") == 3
    (letter,) = lines("d.ndjson")
    assert "2000000" in letter["error"]["message"].replace(",", "").replace("_", "")
    assert json.loads(Path("s.json").read_text())["matches"] == {"00000000-0000-4000-8000-000000000001": 11}
    assert "broken.yml:9:" in capsys.readouterr().err


def test_the_report_is_one_page_that_names_the_finding() -> None:
    scan("--report", "r.html", "--lang", "vi")
    page = Path("r.html").read_text()
    assert "Password guessed at" in page
    assert '<html lang="vi"' in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_was_kept_can_be_listed_shown_and_hunted(capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--keep") == 0
    assert scan("--keep") == 0  # again: nothing new
    capsys.readouterr()
    assert main(["findings", "list", "--ids"]) == 0
    (listed,) = capsys.readouterr().out.splitlines()
    assert main(["findings", "show", listed.split()[0]]) == 0
    assert json.loads(capsys.readouterr().out)["rule"]["name"] == "Password guessed at"
    assert main(["hunt", "rules/guess.yml", "--out", "h.ndjson"]) == 0
    (hunted,) = lines("h.ndjson")
    assert hunted["event"]["id"] == listed.split()[0]
    assert main(["hunt", "rules/guess.yml", "--since", "2026-03-10", "--out", "h.ndjson"]) == 0
    assert lines("h.ndjson") == []
    assert main(["hunt", "rules/guess.yml", "--until", "2026-03-09T01:05:00Z", "--out", "h.ndjson"]) == 0
    assert lines("h.ndjson")[0]["soc"]["count"] == 5
    assert main(["hunt", "no such rule"]) == 2
    capsys.readouterr()
    for question in ("rules/guess.yml", 'SELECT "user.name" FROM auth'):
        assert main(["hunt", question, "--source", "auht"]) == 2
        assert "did you mean `auth`?" in capsys.readouterr().err


def test_hostile_text_does_not_steer_the_terminal(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "Mar  9 08:00:01 web\x1b[2J01 sshd[1]: Failed password for invalid user \x1b]0;owned\x07 from 203.0.113.9\n"
    (place / "logs" / "auth.log").write_text(evil * 3)
    scan()
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in out + err


def test_an_unknown_format_asks_for_the_source(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "logs" / "odd.txt").write_text("§1 nobody\n§2 knows\n§3 this\n" * 5)
    assert scan("--out", "f.ndjson") == 3
    assert "odd.txt: no source definition knows this format; name one with --source" in capsys.readouterr().err
    assert len(lines("f.ndjson")) == 1


def test_two_rules_of_one_id_are_told_and_one_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "rules" / "twin.yml").write_text(RULE)
    assert scan("--out", "f.ndjson") == 3
    assert "is taken by" in capsys.readouterr().err
    assert len(lines("f.ndjson")) == 1


def test_two_processes_find_what_one_does(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        text = "".join(LINE.format(minute=minute) for minute in range(number, number + 30))
        (place / "logs" / f"{number}.log").write_text(text + "no time here\n" + "x" * 1_100_000 + "\n")
    told: list[str] = []
    for count in ("1", "2"):
        files = [part for name in ("out", "matches", "dead", "stats") for part in (f"--{name}", f"{name}{count}")]
        assert scan("--processes", count, *files) == 3
        told.append(re.sub(r"in .* s,", "", "".join(capsys.readouterr())))
    for kind in ("out", "matches", "dead"):
        assert lines(f"{kind}1") == lines(f"{kind}2") != []
    assert told[0] == told[1]
    one, two = (json.loads(Path(name).read_text()) for name in ("stats1", "stats2"))
    assert two["events"] == one["events"] == 15 + 8 * 30
    assert (two["matches"], two["parse_failures"]) == (one["matches"], 16)


def test_events_that_are_kept_go_through_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--keep", "--processes", "2") == 2
    assert "--processes 2 doesn't go with --keep" in capsys.readouterr().err
    assert scan("--processes", "0") == 2
    assert "--processes 0 is too few" in capsys.readouterr().err


def test_what_is_wrong_with_an_enrichment_costs_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tor.txt").write_text("203.0.113.9\nnonsense\n")
    Path("users.csv").write_text("name;unit\nadmin;H21.09\nlan;XX\n")
    Path("soc.yml").write_text("own_rules: false\nenrichment: {address_lists: [tor.txt], registry: [users.csv]}\n")
    known = "known: {soc.source.lists: tor, soc.user.status: active}\n  condition: known and keywords"
    Path("rules/guess.yml").write_text(RULE.replace("condition: keywords", known))
    assert scan("--out", "f.ndjson") == 3
    told = capsys.readouterr().err
    assert "tor.txt:2:1: 'nonsense' is no address" in told
    assert "users.csv:3:1: 'XX' is no code of an organisation" in told
    assert lines("f.ndjson")
    assert main(["doctor"]) == 3
    assert capsys.readouterr().out.count("FAIL  enrichment: a part is left out") == 2


def test_a_rule_may_ask_for_a_path_and_the_key_of_its_call(place: Path) -> None:
    """Records of two audit events, interleaved; a rule for a single type of record sees its record alone."""
    head = "msg=audit(1772414100.740:{}):"
    (place / "logs" / "auth.log").write_text(
        f'type=PATH {head.format(7)} item=0 name="/etc/shadow" nametype=NORMAL\n'
        f'type=SYSCALL {head.format(8)} syscall=257 success=yes exe="/bin/id" auid=0 key=(null)\n'
        f'type=SYSCALL {head.format(7)} syscall=257 success=yes exe="/bin/cat" auid=1000 key="passwd_access"\n'
        f'type=PATH {head.format(8)} item=0 name="/etc/shadow" nametype=NORMAL\n'
    )
    rule = RULE.replace("service: sshd", "service: auditd").replace("['Failed password for invalid user']", "{asked}")
    asked = {
        "guess": "{name: /etc/shadow, key: passwd_access, auid: 1000}",
        "call": "{type: SYSCALL, exe: /bin/cat}",
        "path": "{type: PATH, name: /etc/shadow}",
    }
    for number, (name, what) in enumerate(asked.items(), 1):
        text = rule.replace("keywords", "sel").replace("{asked}", what).replace("000001", f"00000{number}")
        (place / "rules" / f"{name}.yml").write_text(text)
    assert scan("--stats", "s.json") == 0
    assert [*json.loads(Path("s.json").read_text())["matches"].values()] == [1, 1, 2]
