"""Why a rule matches an event, and why not."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from detectors.sigma.predicates import Predicate
from flows.authoring import why
from tests.flows.authoring.conftest import RULE, Soc

LINE = "Mar  9 08:00:01 web01 sshd[7]: Accepted password for {} from {} port 2 ssh2\n"


def explained(soc: Soc, rule: Path, *lines: str, more: tuple[str, ...] = ()) -> list[str]:
    log = rule.parent.parent / "events.log"
    log.write_text("".join(lines))
    return soc("rules", "explain", rule, log, *more)[1].splitlines()


def test_a_match_shows_what_is_true_and_what_was_seen(soc: Soc, rule: Path) -> None:
    assert explained(soc, rule, LINE.format("root", "203.0.113.9")) == [
        f"`Root logged in` ({rule}:1:1) matches",
        "event 1 of auth",
        "✓ accepted and not inside",
        "  ✓ accepted",
        "    ✓ message|startswith   ← Accepted password for root from 203.0.113.9 port 2 ssh2",
        "      ✓ Accepted password for root ",
        "  ✓ not inside",
        "    ✗ inside",
        "      ✗ source_ip|cidr: 10.0.0.0/8   ← 203.0.113.9",
    ]


def test_of_several_events_the_nearest_is_explained(soc: Soc, rule: Path) -> None:
    lines = [LINE.format("lan", "203.0.113.9"), LINE.format("root", "10.0.0.9"), LINE.format("lan", "203.0.113.9")]
    told = explained(soc, rule, *lines)
    assert told[0].endswith("does not match")
    assert told[1] == "event 2 of auth; 0 of 3 match"
    assert "  ✗ not inside" in told
    assert explained(soc, rule, *lines, more=("--number", "3"))[1] == "event 3 of auth; 0 of 3 match"


GUESSING = """title: Root everywhere
name: everywhere
correlation:
  type: event_count
  rules: 6a5b1c2e-0f3d-4a7b-9c8d-1e2f3a4b5c6d
  group-by: source.ip
  timespan: 5m
  condition: {{{condition}}}
"""
TIMES = ("Mar  9 08:00", "Mar  9 08:01", "Mar  9 08:09")


def counted(soc: Soc, rule: Path, *addresses: str, condition: str = "gte: 3") -> list[str]:
    """Explain a correlation, in a file of its own, on logins as root from these addresses."""
    path = rule.parent / "everywhere.yml"
    path.write_text(GUESSING.format(condition=condition))
    timed = zip(addresses, TIMES[: len(addresses)], strict=True)
    lines = [LINE.format("root", address).replace("Mar  9 08:00", time) for address, time in timed]
    log = rule.parent.parent / "events.log"
    log.write_text("".join([*lines, LINE.format("lan", "203.0.113.9")]))
    return soc("rules", "explain", path, log, "--rules", rule.parent)[1].splitlines()


def test_a_correlation_is_explained_by_events_groups_and_windows(soc: Soc, rule: Path) -> None:
    told = counted(soc, rule, "203.0.113.9", "203.0.113.9", "203.0.113.9")
    assert told[0].endswith("everywhere.yml:1:1): no alert")
    assert told[1] == "asks for event_count gte 3 within 5m for each source.ip"
    assert re.fullmatch(r"  event 1  \d{4}-03-09 08:00:01\+07:00  Root logged in   ← source.ip=203.0.113.9", told[2])
    assert told[5] == "  1 of 4 events of auth match none of its rules"
    assert told[6].startswith("  ✗ source.ip=203.0.113.9: event_count is 2 from ")
    assert told[6].endswith("08:01:01+07:00: events 1, 2")
    assert told[7] == "      its events lie further apart than the timespan: 9m"


PROBED = """title: Probe of the site
id: 0a5b1c2e-0f3d-4a7b-9c8d-1e2f3a4b5c6d
name: probed
logsource: {category: webserver}
detection: {asked: {cs-uri-query|contains: passwd}, condition: asked}
---
title: Probe, then root
correlation:
  type: temporal_ordered
  rules: [probed, 6a5b1c2e-0f3d-4a7b-9c8d-1e2f3a4b5c6d]
  group-by: source.ip
  timespan: 5m
"""
ASKED = '203.0.113.9 - - [09/Mar/2026:07:58:00 +0700] "GET /a?f=/etc/passwd HTTP/1.1" 200 1 "-" "x"'


def test_a_correlation_is_explained_on_events_of_several_sources(soc: Soc, rule: Path) -> None:
    logs = rule.parents[1] / "logs"
    logs.mkdir()
    (logs / "access.log").write_text(f"{ASKED}\n" * 2)
    (logs / "auth.log").write_text(LINE.format("root", "203.0.113.9").replace("Mar  9 ", "2026-03-09T"))
    (rule.parent / "probed.yml").write_text(PROBED)
    told = soc("rules", "explain", "Probe, then root", logs, "--rules", rule.parent)[1].splitlines()
    assert "Probe of the site   ← source.ip=203.0.113.9" in told[2]
    assert "  event 3  2026-03-09 08:00:01+07:00  Root logged in   ← source.ip=203.0.113.9" in told
    assert told[0].endswith(": an alert")
    assert told[-1].endswith("events 1, 2, 3")
    only = soc("rules", "explain", rule, logs / "access.log", logs / "auth.log")[1].splitlines()
    assert only[0].endswith(" matches")
    assert only[1] == "event 1 of auth"
    code, _, said = soc("rules", "explain", rule, logs, "--number", "1")
    assert (code, "give those of one source" in said) == (2, True)


def test_of_a_correlation_that_would_fire_without_groups_it_is_said(soc: Soc, rule: Path) -> None:
    told = counted(soc, rule, "203.0.113.9", "203.0.113.8", condition="gte: 2")
    assert told[-1] == "      there would be an alert if all were one group: they differ in source.ip"


def test_an_alert_and_an_exception_to_it_are_told(soc: Soc, rule: Path) -> None:
    assert counted(soc, rule, "203.0.113.9", "203.0.113.9", condition="gte: 2")[0].endswith(": an alert")
    exception = "title: Known\nlogsource: {product: linux}\nfilter: {rules: everywhere, s: {source.ip: 203.0.113.9}, "
    (rule.parent / "known.yml").write_text(exception + "condition: not s}\n")
    told = counted(soc, rule, "203.0.113.9", "203.0.113.9", condition="gte: 2")
    assert told[0].endswith(": no alert")
    assert told[-1] == "      taken by the exception `Known`"


def test_an_event_of_another_source_is_told_so(soc: Soc, rule: Path) -> None:
    line = '192.0.2.1 - - [02/Mar/2026:01:02:03 +0700] "GET / HTTP/1.1" 200 5 "-" "a"\n'
    told = explained(soc, rule, line, more=("--source", "nginx"))
    assert "not its business: rules of linux/sshd have no business with nginx/webserver/nginx events" in told


def test_an_event_that_takes_no_route_names_the_column(soc: Soc, rule: Path) -> None:
    told = explained(
        soc, rule, LINE.format("root", "203.0.113.9").replace("sshd[7]", "su[7]"), more=("--source", "auth")
    )
    assert any("linux/sshd is told by program sshd" in line and "the event has `su`" in line for line in told)
    assert told[0].endswith("does not match")


def test_json_objects_are_events_as_the_rule_sees_them(soc: Soc, rule: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:
        buffer = io.BytesIO(b'{"message": "Accepted password for root x", "source_ip": "10.0.0.1"}')

    monkeypatch.setattr("sys.stdin", Standard())
    code, out, _ = soc("rules", "explain", "Root logged in", "-", "--rules", rule.parent, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["event"]["source"] == "fields"
    assert told["matches"] is False
    assert truths(told["condition"])["source_ip|cidr: 10.0.0.0/8"] is True


def truths(piece: dict[str, Any]) -> dict[str, bool]:
    return {piece["label"]: piece["true"]} | {
        key: value for part in piece.get("parts", []) for key, value in truths(part).items()
    }


def test_an_event_of_a_finding_or_of_the_archive_is_found_by_its_id(soc: Soc, rule: Path) -> None:
    (rule.parent.parent / "auth.log").write_text(LINE.format("root", "203.0.113.9") + LINE.format("lan", "203.0.113.9"))
    soc("scan", "auth.log", "--rules", rule.parent, "--keep", "--out", "f.ndjson", "--no-anomaly")
    finding = json.loads(Path("f.ndjson").read_text().splitlines()[0])
    event = finding["soc"]["evidence"][0]["event.id"]
    for name in (finding["event"]["id"], event):
        assert " matches" in soc("rules", "explain", rule, name)[1].splitlines()[0]
    assert soc("rules", "explain", rule, "nonesuch")[0] == 2


@pytest.mark.parametrize(
    ("predicate", "text", "reason"),
    [
        (Predicate("f", "equals", ("cmd.exe",)), "C:\\cmd.exe", "it is a part of what is there: `|contains` would fit"),
        (Predicate("f", "equals", ("a",)), "A ", "only blanks around it differ"),
        (Predicate("f", "endswith", ("cmd",)), "cmd.exe", "it does not stand at the end: `|contains` would fit"),
        (Predicate("f", "contains", ("a\\\\b",)), "a\\b", "only the number of backslashes differs"),
        (
            Predicate("f", "contains", ("ABC",), cased=True),
            "xabc",
            "only the case of letters differs: leave `cased` out",
        ),
        (Predicate("f", "regex", ("abc",), cased=True), "ABC", "only the case of letters differs: add `|i` after `re`"),
        (Predicate("f", "regex", ("a.b",), cased=True), "a\nb", "`.` stops at the end of a line: add `|s` after `re`"),
        (Predicate("f", "like", ("net*user?",)), "my netuser1", "begin and end with `*`, or use `|contains`"),
        (Predicate("f", "equals", ("c:\\win*",)), "c:\\windows", "`*` and `?` are plain characters where a `\\`"),
        (Predicate("f", "number", ("5",)), "five", "that is no number"),
        (Predicate("f", "cidr", ("10.0.0.0/8",)), "web01", "that is no address"),
        (Predicate("f", "cidr", ("10.0.0.0/8",)), "192.0.2.1", ""),
        (Predicate("f", "ref_equals", ("g",)), "x", "the other field, `g`, says something else"),
    ],
)
def test_a_reason_is_what_a_small_change_would_mend(predicate: Predicate, text: str, reason: str) -> None:
    told = why.different(predicate, [text])
    assert reason in told
    assert bool(told) == bool(reason)


def test_a_missing_field_is_told_apart_from_one_that_cannot_be() -> None:
    assert why.missing("Image", ["image"], possible=True) == "the event calls it `image`: the case of names counts"
    assert why.missing("Imge", ["Image"], possible=True) == "this event has no `Imge`; it has `Image`"
    assert (
        why.missing("Imge", ["Image"], possible=False)
        == "events of this source never have `Imge`; did you mean `Image`?"
    )


def test_a_rule_that_waits_for_a_list_says_so(soc: Soc, rule: Path) -> None:
    rule.write_text(
        RULE.replace("message|startswith:", "message|expand:").replace("'Accepted password for root '", "'%names%'")
    )
    told = explained(soc, rule, LINE.format("root", "203.0.113.9"))
    assert "not its business: the rule waits for the lists names (`lists:` of soc.yml)" in told


def test_hostile_events_cannot_steer_the_terminal(soc: Soc, rule: Path) -> None:
    told = explained(soc, rule, LINE.format("root\x1b[2J", "203.0.113.9"))
    assert not any("\x1b" in line for line in told)
