from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from starlette.testclient import TestClient

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from detectors.meta import Meta
from detectors.questions import decide
from detectors.schema import MATCH, RISK
from flows.cli import main
from flows.sections import Elastic
from flows.settings import Settings
from flows.web import Keys, Site, Upkeep, application
from flows.web.speech import catalogue, spoken
from tests.sample_findings import START, finding, frame, province

KEYS = Keys("t0ken")
BASE = "http://127.0.0.1:8642"
SAID = {"form": KEYS.form, "seen": "0", "note": "looked at"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.sqlite")
    opened.findings(province(5))
    opened.findings(frame(finding(**{"rule.name": "One"})))
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> TestClient:
    site = Site(store, KEYS, ZoneInfo("Asia/Ho_Chi_Minh"), "en", "lan")
    return TestClient(application(site), base_url=BASE, follow_redirects=False)


@pytest.fixture
def inside(client: TestClient) -> TestClient:
    answer = client.get("/?token=t0ken&level=high")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?level=high")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    return client


@pytest.mark.parametrize("path", ["/", "/finding?id=f1", "/static/web.js", "/?token=wrong", "/?token="])
def test_nobody_gets_in_without_the_token(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"cookie": "soc-8642=guess"}).status_code == 401


def test_another_name_of_this_machine_is_refused(inside: TestClient) -> None:
    assert inside.get("/", headers={"host": "evil.example:8642"}).status_code == 421
    assert inside.get("/", headers={"host": "localhost:8642"}).status_code in {200, 401}


def test_every_answer_has_the_policy(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/?token=t0ken"), client.get("/"), client.get("/nothing")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ({"origin": "https://evil.example"}, {}),
        ({"origin": "null"}, {}),
        ({"sec-fetch-site": "cross-site"}, {}),
        ({"origin": BASE}, {"form": ""}),
        ({"origin": BASE}, {"form": "0" * 64}),
        ({"origin": BASE}, {"note": "x" * 100_000}),
    ],
)
def test_forms_of_others_change_nothing(
    inside: TestClient, store: Store, headers: dict[str, str], changes: dict[str, str]
) -> None:
    assert inside.post("/finding?id=f1", data=SAID | changes, headers=headers).status_code in {400, 403}
    assert store.history("f1") == []


def test_a_decision_is_kept_with_who_said_it(inside: TestClient, store: Store) -> None:
    said = SAID | {"status": "closed", "reason": "duplicate", "owner": "minh"}
    answer = inside.post("/finding?id=f1", data=said, headers={"origin": BASE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/finding?id=f1")
    (entry,) = store.history("f1")
    assert (entry.actor, entry.status, entry.reason, entry.owner) == ("lan", "closed", "duplicate", "minh")


def test_two_who_decide_at_once_see_each_other(inside: TestClient, store: Store) -> None:
    store.decide(Triage("f1", START, "minh", "in_progress"))
    answer = inside.post("/finding?id=f1", data=SAID, headers={"origin": BASE})
    assert answer.status_code == 409
    assert "looked at" in answer.text  # what was typed is still there
    assert len(store.history("f1")) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?level=high", 200),
        ("?level=severe", 400),
        ("?status='", 400),
        ("?since=yesterday", 400),
        ("?page=0x", 400),
        ("?page=999999", 200),
        ("?text=' OR 1=1 --", 200),
        ("?token_=1&unknown=x", 200),
    ],
)
def test_queries_are_read_with_care(inside: TestClient, query: str, status: int) -> None:
    assert inside.get(f"/{query}").status_code == status


def test_what_is_not_there_says_so(inside: TestClient) -> None:
    assert inside.get("/finding?id=absent").status_code == 404
    assert inside.post("/finding?id=absent", data=SAID, headers={"origin": BASE}).status_code == 404


def test_every_word_is_in_both_languages() -> None:
    assert all(set(texts) == {"en", "vi"} and all(texts.values()) for texts in catalogue().values())
    assert spoken("en").keys() == spoken("vi").keys()


def test_others_may_not_read_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--listen", "0.0.0.0"]) == 2  # noqa: S104
    assert "--certificate" in capsys.readouterr().err
    config = tmp_path / "soc.yml"
    config.write_text(f"store: {tmp_path / 'absent.sqlite'}")
    assert main(["web", "--config", str(config)]) == 2


def test_risk_and_incidents_are_shown(inside: TestClient, store: Store) -> None:
    assert "soc risk" in inside.get("/risk").text
    assert "soc incident list" in inside.get("/incidents").text
    cases = Cases(store)
    row = ("host", "<b>dc01", 91.5, "critical", 3, ["impact"], ["Bad & worse"], ["f1"], "high", "H21.09")
    store.findings(frame(finding(**{"event.id": "vi", "rule.name": "Bad & worse", "soc.title.vi": "Xấu & tệ hơn"})))
    unit = ("organisation", "H21.09", 75.0, "high", 1, ["impact"], ["Odd"], ["host <b>dc01"], None, "H21.09")
    whose = {"organization.id": ["H21.09"], "organization.name": ["Sở Y tế"]}
    store.findings(frame(finding(**{"event.id": "of", **whose})))
    cases.reckoned(pl.DataFrame([row, unit], schema=RISK, orient="row"), START)
    cases.open("i1", START, None, ["f1"])
    for lang in ("en", "vi"):
        shown = inside.get(f"/risk?lang={lang}").text
        assert "&lt;b&gt;dc01" in shown
        assert "Sở Y tế (H21.09)" in shown
        assert {"en": "Bad &amp; worse", "vi": "Xấu &amp; tệ hơn"}[lang] in shown
        assert "i1" in inside.get(f"/incidents?lang={lang}").text
        assert "One" in inside.get(f"/incident?id=i1&lang={lang}").text
    assert inside.get("/incident?id=absent").status_code == 404


@pytest.fixture
def incident(store: Store) -> str:
    rows = [
        finding(**{"event.id": name, "@timestamp": START, "rule.id": name, "rule.name": name, "soc.level": "critical",
                   "event.severity": 99, "host.name": ["dc01"]})
        for name in ("one", "two")
    ]  # fmt: skip
    store.findings(frame(*rows))
    Cases(store).open("i1", START, None, ["one", "two"])
    return "i1"


def test_an_incident_is_decided_like_a_finding_and_its_findings_with_it(
    inside: TestClient, store: Store, incident: str
) -> None:
    page = inside.get("/incident?id=i1").text
    assert 'name="seen" value="0"' in page
    assert "report_72h" in page
    store.decide(Triage("two", START, "hung", "closed", reason="duplicate"))
    wrong = inside.post("/incident?id=i1", data={"form": "guess", "seen": "0", "note": "x"})
    assert (wrong.status_code, Cases(store).history(incident)) == (400, [])
    no_reason = inside.post("/incident?id=i1", data={**SAID, "status": "closed"})
    assert (no_reason.status_code, "why it is closed" in no_reason.text) == (409, True)
    foreign = inside.post("/incident?id=i1", data=SAID, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    marked = inside.post("/incident?id=i1", data={**SAID, "mark": "personal_data", "owner": "minh"})
    assert (marked.status_code, marked.headers["location"]) == (303, "/incident?id=i1")
    assert [one.note for one in Cases(store).history(incident)] == ["#mark personal_data", "looked at"]
    assert "NĐ 356/2025" in inside.get("/incident?id=i1").text
    late = inside.post("/incident?id=i1", data=SAID)
    assert (late.status_code, "since you opened it" in late.text) == (409, True)
    closing = {**SAID, "seen": "2", "status": "closed", "reason": "true_positive", "members": "yes"}
    assert inside.post("/incident?id=i1", data=closing).status_code == 303
    assert store.reasons() == {"one": "true_positive", "two": "duplicate"}
    assert Cases(store).one(incident).status == "closed"
    assert "i1" not in inside.get("/incidents").text
    assert "i1" in inside.get("/incidents?show=closed").text
    Cases(store).open("i2", START, "i1", [])
    assert "/incident?id=i2" in inside.get("/incident?id=i1").text
    assert inside.post("/incident?id=absent", data=SAID).status_code == 404
    assert inside.post("/incident?id=i1", data={**SAID, "seen": "3", "mark": "<b>"}).status_code == 409


def test_a_finding_shows_its_matches(inside: TestClient, store: Store) -> None:
    match = {"@timestamp": START, "soc.match.id": "m1", "rule.id": "r", "event.id": ["e1", "<b>"], "soc.source": "web",
             "soc.group": None, "soc.finding.id": "f1", "soc.silenced": None}  # fmt: skip
    store.matches(pl.DataFrame([match, {**match, "soc.match.id": "m2", "soc.finding.id": "two"}], schema=MATCH))
    page = inside.get("/finding?id=f1").text
    assert page.count("<code>e1, &lt;b&gt;</code>") == 1


def test_a_finding_asks_what_decides_it(inside: TestClient, store: Store) -> None:
    decisions = decide(Meta("r", "Odd", asks=("more_by_the_account",)), lambda _: ["<b>x"], START, START)
    told = {"soc.decisions": decisions, "soc.attack": ["impact / T1490", "odd"]}
    store.findings(frame(finding(**{"event.id": "asks", **told})))
    page = inside.get("/finding?id=asks&lang=vi").text
    assert spoken("vi")["asked"] in page
    assert "có → là thật" in page
    assert f"<li>{spoken('vi')['tactic_impact']} / T1490</li><li>odd</li>" in page
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


@pytest.mark.usefixtures("incident")
def test_a_finding_leads_to_its_incident(inside: TestClient) -> None:
    assert "/incident?id=i1" in inside.get("/finding?id=one").text


def test_upkeep_puts_findings_into_incidents_and_says_why_when_it_cannot(tmp_path: Path) -> None:
    chosen = Settings(store=tmp_path / "u.sqlite")
    kept = Store(chosen.store)
    kept.findings(frame(finding(**{"soc.level": "critical", "host.name": ["dc01"], "rule.id": "r"})))
    upkeep = Upkeep(chosen)
    upkeep.once(START)
    assert len(Cases(kept).all()) == 1
    assert Cases(kept).risks("host")[0] == START
    kept.close()
    away = Upkeep(chosen.model_copy(update={"elastic": Elastic(url="https://127.0.0.1:1")}))
    away.start()
    for _ in range(300):
        if away.problem:
            break
        time.sleep(0.1)
    assert "Elasticsearch" in away.problem
    away.stop()
    opened = Store(chosen.store)
    site = Site(opened, KEYS, ZoneInfo("Asia/Ho_Chi_Minh"), "en", "lan", away)
    client = TestClient(application(site), base_url=BASE)
    assert "Elasticsearch can" in client.get("/?token=t0ken").text
    opened.close()
