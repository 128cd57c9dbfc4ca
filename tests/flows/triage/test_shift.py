from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.store import Store, Triage
from connectors.store_cases import Case, Cases
from detectors.errors import UsageError
from detectors.schema import COVERAGE, RISK, SUPPRESSED
from flows.cli import main
from flows.report.words import words
from flows.sections import Triage as Reading
from flows.settings import Settings
from flows.triage import duties
from flows.triage.capacity import Work, plan
from flows.triage.duties import BUILT_IN, MARK, SENT, due, next_yearly, read
from flows.triage.opening import opened
from flows.triage.periodic import bounds
from flows.triage.reporting import after
from flows.triage.shift import catalogue, member, spoken, work
from tests.flows.triage.test_cases import AT, HOSTILE, attack
from tests.sample_findings import START, finding, frame

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WORKS = st.lists(
    st.builds(
        Work,
        st.sampled_from(["incident", "findings"]),
        st.uuids().map(str),
        st.just("x"),
        st.sampled_from(["low", "medium", "high", "critical"]),
        st.integers(1, 50),
        st.floats(0, 100),
        st.just(START),
        st.sampled_from([None, START + timedelta(hours=2), START + timedelta(days=3)]),
    ),
    max_size=20,
    unique_by=lambda work: work.id,
)


def case(level: int = 3) -> Case:
    return Case("i1", START, None, 3, level, "new", None, START, START)


def said(note: str, hours: int) -> Triage:
    return Triage("i1", START + timedelta(hours=hours), "lan", note=note)


@settings(max_examples=30, deadline=None)
@given(WORKS, st.integers(0, 600))
def test_a_plan_loses_nothing_and_never_defers_what_is_critical(works: list[Work], minutes: int) -> None:
    made = plan(works, minutes, START)
    assert {each.id for each in made.fits + made.deferred} == {each.id for each in works}
    assert all(
        each.level != "critical" and (not each.until or each.until > START + timedelta(hours=8))
        for each in made.deferred
    )
    assert made.over == max(made.used - minutes, 0)
    easy = [each for each in made.fits if each.level != "critical" and each.until is None]
    assert not easy or sum(each.minutes for each in easy) <= minutes


def test_near_deadlines_come_first() -> None:
    late = Work("incident", "a", "x", "low", until=START + timedelta(hours=1))
    grave = Work("incident", "b", "x", "critical")
    assert [each.id for each in plan([grave, late], 480, START).fits] == ["a", "b"]


def test_duties_follow_level_and_marks() -> None:
    law = read()
    assert [each.duty.id for each in due(case(), [], law)] == ["report_72h"]
    assert [each.duty.id for each in due(case(level=4), [], law)] == ["initial_24h", "report_72h"]
    marked = due(case(), [said(f"{MARK}personal_data", 10), said(f"{SENT}report_72h", 20)], law)
    assert [each.duty.id for each in marked] == ["personal_data_72h", "report_72h"]
    assert marked[0].until == START + timedelta(hours=82)  # from when it was known
    assert marked[0].left(START + timedelta(hours=83)) < timedelta()
    assert marked[1].sent == START + timedelta(hours=20)


def test_every_duty_says_what_it_rests_on_and_when_to_look_again() -> None:
    for each in [*read().duties, *read().yearly]:
        assert each.law
        assert each.check_by > each.checked
        assert each.title.en != each.title.vi
    days = [day for day, _ in next_yearly(read(), datetime(2026, 12, 21, tzinfo=UTC), ZONE)]
    assert [f"{day:%Y-%m-%d}" for day in days] == ["2026-12-25", "2027-12-20"]


def test_a_wrong_file_of_duties_is_named(tmp_path: Path) -> None:
    path = tmp_path / "duties.yml"
    path.write_text("duties: [{id: x}]")
    with pytest.raises(UsageError, match="duties"):
        duties.read(path)


def test_weeks_and_months_are_local() -> None:
    begin, end = bounds("week", datetime(2026, 11, 29, 18, tzinfo=UTC), ZONE)  # Monday already in Pleiku
    assert (f"{begin:%d/%m %H}", f"{end:%d/%m %H}") == ("30/11 00", "07/12 00")
    begin, end = bounds("month", datetime(2026, 12, 31, 18, tzinfo=UTC), ZONE)
    assert (f"{begin:%d/%m/%Y}", f"{end:%d/%m/%Y}") == ("01/01/2027", "01/02/2027")


def test_every_word_is_in_both_languages() -> None:
    assert all(set(texts) == {"en", "vi"} and all(texts.values()) for texts in catalogue().values())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOC_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "store.sqlite")
    store.findings(frame(*attack(), finding(**{"event.id": "lone", "rule.id": "r", "rule.name": HOSTILE})))
    store.decide(Triage("a", START + timedelta(hours=11), "lan", "in_progress", note="<b>đang xem</b>"))
    store.close()
    assert main(["risk", "--at", AT]) == 0
    assert main(["incident", "list", "--at", AT]) == 0
    return tmp_path


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_handover_sheet_tells_deadlines_and_work(place: Path, lang: str) -> None:
    assert main(["shift", "handover", "--at", AT, "--lang", lang, "--minutes", "70", "--by", "lan"]) == 0
    page = (place / "handover.html").read_text("utf-8")
    assert re.search(r"NĐ 331/2026/NĐ-CP Đ31 \((rà soát trước \d\d/\d\d/|verify by )\d{4}", page)
    assert "&lt;b&gt;đang xem&lt;/b&gt;" in page
    assert "<script" not in page
    assert "\x1b" not in page
    assert re.search(r"12 h 00 min|12 giờ 00 phút", page)  # of the 24 hours of a serious incident


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("organisation", [None, "H21.09"])
def test_reports_tell_numbers_of_their_period(place: Path, lang: str, organisation: str | None) -> None:
    assert main(["risk", "--at", AT]) == 0
    words = ["report", "--period", "month", "--day", AT, "--lang", lang]
    assert main(words + (["--organisation", organisation] if organisation else [])) == 0
    page = (place / "report.html").read_text("utf-8")
    numbers = re.findall(r"<b>([^<]*)</b>", page)
    assert numbers[0] == ("3" if organisation else "4")
    assert "<script" not in page
    assert ("25/12/" if lang == "vi" else "-12-25") in page
    assert f'<th scope="col">{"Loại" if lang == "vi" else "Kind"}</th>' in page  # of entities at risk


def test_a_report_tells_what_was_tuned(place: Path) -> None:
    store = Store(place / "store.sqlite")
    ids = dict.fromkeys(("soc.suppressed.id", "soc.exception.id", "soc.match.id", "rule.id"), "x")
    taken = ids | {"@timestamp": START, "soc.exception.title": "Backup <b>", "rule.name": "scan", "event.id": ["e"]}
    store.suppressed(pl.DataFrame([dict.fromkeys(SUPPRESSED) | taken], schema=SUPPRESSED))
    store.close()
    for whose, told in (([], True), (["--organisation", "H21.09"], False)):  # it isn't known whose that was
        assert main(["report", "--period", "month", "--day", AT, "--lang", "vi", *whose]) == 0
        assert ("Backup &lt;b&gt;" in (place / "report.html").read_text("utf-8")) == told


def test_a_plan_is_printed_and_marks_bring_deadlines(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shift", "plan", "--at", AT, "--minutes", "10"]) == 0
    said_ = capsys.readouterr()
    assert "fits: 1" in said_.out
    assert "deferred: 1" in said_.out
    assert "exceeds" in said_.err
    (incident,) = re.findall(r"\[([0-9a-f]{32})\], due", said_.out)
    assert main(["incident", "mark", incident, "personal_data"]) == 0
    assert main(["incident", "sent", incident, "initial_24h"]) == 0
    assert main(["incident", "show", incident, "--at", AT]) == 0
    shown = capsys.readouterr().out
    assert "NĐ 356/2025/NĐ-CP" in shown
    assert "(sent " in shown
    assert place.is_dir()


def test_after_a_week_each_organisation_has_its_report(place: Path) -> None:
    chosen = Settings(store=place / "store.sqlite", language="vi", triage=Reading(reports=place / "reports"))
    with opened(chosen) as store:
        names = [path.name for path in after(chosen, store, "week", START + timedelta(days=7), "lan")]
    assert names == ["week-2026-07-20.html", "week-2026-07-20-H21.09.html"]
    pages = [(place / "reports" / name).read_text("utf-8") for name in names]
    assert [re.findall(r"<b>([^<]*)</b>", page)[0] for page in pages] == ["4", "3"]
    assert "20/07/2026 – 26/07/2026" in pages[0]


def test_blind_hours_are_those_of_the_ledger(place: Path) -> None:
    row = dict.fromkeys(COVERAGE) | {"soc.source": "auth", "soc.batch": "b", "organization.id": "H21.09"}
    row |= {"soc.events": 10, "soc.late": 0, "soc.failures": 1, "soc.matches": 0}
    hours = [{**row, "event.id": str(n), "@timestamp": START + timedelta(hours=n)} for n in (0, 1, 3)]
    store = Store(place / "store.sqlite")
    store.cover(pl.DataFrame(hours, schema=COVERAGE, orient="row"))
    store.close()
    for organisation, cells in (("H21.09", ["auth", "3", "165", "30", "3"]), ("H21.10", None)):
        assert main(["report", "--day", AT, "--organisation", organisation, "--lang", "en"]) == 0
        page = (place / "report.html").read_text("utf-8")
        found = re.search(r"<td[^>]*><span>auth</span></td>(.*?)</tr>", page)
        assert (re.findall(r"<span>([^<]*)</span></td>", found[0]) if found else None) == cells


def test_without_a_browser_it_says_what_to_do_instead(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(place))
    assert main(["report", "--day", AT, "--out", "r.pdf"]) == 2
    assert "r.html" in capsys.readouterr().err


def test_a_shift_of_many_open_findings_is_planned_from_sums(tmp_path: Path) -> None:
    rows = [
        finding(
            **{
                "event.id": f"{number:05}",
                "@timestamp": START + timedelta(minutes=number),
                "rule.id": f"r{number % 40}",
                "rule.name": f"rule {number % 40}",
                "organization.id": [f"H21.{number % 7}"],
                "host.name": [f"pc{number % 9}"],
                "soc.level": ("low", "medium", "high")[number % 3],
            }
        )
        for number in range(3_000)
    ]
    store = Store(tmp_path / "many.sqlite")
    store.findings(frame(*rows))
    cases = Cases(store)
    cases.open("i1", START, None, ["00000", "00001"])
    store.decide(
        Triage("00002", START, "lan", "closed", reason="duplicate"), Triage("00003", START, "lan", "in_progress")
    )
    risks = pl.DataFrame([{"kind": "host", "name": "pc4", "risk": 77.0, "level": "high"}])
    cases.reckoned(pl.concat([RISK.to_frame(), risks], how="diagonal").cast(RISK), START)
    found = work(store, read(), "en")
    (case,) = (each for each in found if each.kind == "incident")
    groups = [each for each in found if each.kind == "findings"]
    expected: dict[tuple[object, ...], list[int]] = {}
    for number in range(3, 3_000):
        expected.setdefault((number % 40, number % 7, number % 3), []).append(number)
    assert (case.count, case.title) == (2, "rule 1 (pc1)")
    assert {each.id: (each.count, each.risk) for each in groups} == {
        f"{numbers[0]:05}": (len(numbers), 77.0 if any(n % 9 == 4 for n in numbers) else 0.0)
        for numbers in expected.values()
    }
    assert {each.since for each in groups if each.id == "00003"} == {START + timedelta(minutes=3)}
    store.close()


@pytest.mark.parametrize(("lang", "told"), [("en", "account lan"), ("vi", "tài khoản lan")])
def test_members_are_named_in_the_readers_language(lang: str, told: str) -> None:
    assert member("user lan", spoken(lang)) == told
    assert member("unheard-of x", spoken(lang)) == "unheard-of x"


def test_a_level_has_one_word_wherever_it_is_shown() -> None:
    for name in ("informational", "low", "medium", "high", "critical"):
        for lang in ("en", "vi"):
            assert words(lang)[f"level_{name}"] == spoken(lang)[f"level_{name}"]


def test_what_the_law_leaves_open_is_set(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = place / "law.yml"
    text = BUILT_IN.read_text("utf-8").replace("id: initial_24h", "id: own_12h").replace("hours: 24", "hours: 12")
    own.write_text(text, "utf-8")
    monkeypatch.setenv("SOC_TRIAGE__DUTIES", str(own))
    assert main(["incident", "list", "--at", "2026-07-22"]) == 0
    incident = capsys.readouterr().out.split()[0]
    assert main(["incident", "sent", incident, "initial_24h"]) == 2
    assert "choose one of at_once, own_12h" in capsys.readouterr().err
    assert main(["incident", "sent", incident, "own_12h"]) == 0
    assert main(["incident", "show", incident]) == 0
    assert "(sent " in capsys.readouterr().out
    monkeypatch.setenv("SOC_TRIAGE__DUTIES", str(place / "absent.yml"))
    assert main(["incident", "show", incident]) == 2
    assert "absent.yml: can't be read" in capsys.readouterr().err
