"""The protocol, on a real HTTP server of our own: what Kibana says in bodies, not in status codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.kibana import client as clients
from connectors.kibana import lists, objects, promotion
from connectors.kibana.client import Access, Kibana
from detectors.errors import UnavailableError
from tests.connectors.kibana.server import State, serving
from tests.integration.certificates import certify


@pytest.fixture
def served() -> Iterator[tuple[str, State]]:
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "FIRST", 0.01)


def lines(*names: str) -> bytes:
    made = [{"type": "tag", "id": name, "attributes": {"name": name}, "references": []} for name in names]
    return "".join(json.dumps(each) + "\n" for each in made).encode()


def opened(url: str, **access: Any) -> Kibana:
    return Kibana(Access(url, **{"patience": 0.0, **access}))


def test_objects_go_into_their_space_and_come_back(served: tuple[str, State]) -> None:
    url, state = served
    kibana = opened(url, space="gialai")
    assert objects.put(kibana, lines("a", "b")) == 2
    assert state.objects.keys() == {"gialai"}
    found = objects.get(kibana, [("tag", "a"), ("tag", "lost"), ("tag", "b")])
    assert [each["id"] for each in found] == ["a", "b"]
    assert objects.get(kibana, [("tag", "lost")]) == []


def test_a_200_that_says_no_is_a_fault(served: tuple[str, State]) -> None:
    url, state = served
    state.refuses = {"b": "unsupported_type"}
    with pytest.raises(UnavailableError, match=r"took 1 objects and refused 1: tag b: unsupported_type \(this Kibana"):
        objects.put(opened(url), lines("a", "b"))


def test_a_rule_that_is_refused_with_200_is_a_fault(served: tuple[str, State]) -> None:
    url, state = served
    state.rule_fault = "mlAuthz"
    with pytest.raises(UnavailableError, match="refused the promotion rule: r1: mlAuthz"):
        promotion.put(opened(url), b'{"rule_id":"r1"}')


def test_it_waits_while_kibana_starts(served: tuple[str, State]) -> None:
    url, state = served
    state.starting = 3
    said: list[str] = []
    kibana = Kibana(Access(url, patience=5), said.append)
    assert objects.put(kibana, lines("a")) == 1
    assert len(said) == 3
    assert "HTTP 503 License is not available." in said[0]


def test_patience_ends() -> None:
    with pytest.raises(UnavailableError, match=r"can't be reached at http://127\.0\.0\.1:9"):
        objects.put(opened("http://127.0.0.1:9", patience=0.05), lines("a"))


@pytest.mark.parametrize(
    ("access", "wanted"),
    [({"user": "lan", "password": "p"}, "Basic bGFuOnA="), ({"key": "abc", "user": "lan"}, "ApiKey abc")],
)
def test_who_we_are(served: tuple[str, State], access: dict[str, str], wanted: str) -> None:
    url, state = served
    state.user = wanted
    assert objects.put(opened(url, **access), lines("a")) == 1
    with pytest.raises(UnavailableError, match=r"HTTP 401 security_exception.*check `kibana.username`"):
        objects.put(opened(url, user="lan", password="wrong"), lines("a"))


def test_a_page_of_somebody_else_is_told(served: tuple[str, State]) -> None:
    url, state = served
    state.page = True
    with pytest.raises(UnavailableError, match="isn't Kibana's JSON"):
        objects.put(opened(url), lines("a"))


def test_a_wrong_base_path_is_told(served: tuple[str, State]) -> None:
    with pytest.raises(UnavailableError, match=r"HTTP 404.*base path"):
        objects.put(opened(f"{served[0]}/kibana"), lines("a"))


def test_tls_is_checked(tmp_path: Any) -> None:
    ca = certify(tmp_path)
    with serving((tmp_path / "server.crt", tmp_path / "server.key")) as (url, _):
        assert objects.put(opened(url, ca=ca), lines("a")) == 1
        with pytest.raises(UnavailableError, match="certificate"):
            objects.put(opened(url), lines("a"))


def test_a_list_holds_what_it_should(served: tuple[str, State]) -> None:
    url, state = served
    kibana = opened(url)
    assert lists.put(kibana, "soc-staff", ["lan", "minh"]) == lists.Kept(2, 0)
    assert lists.put(kibana, "soc-staff", ["minh", "hoa"]) == lists.Kept(1, 1)
    assert state.lists == {"soc-staff": {"minh", "hoa"}}


def test_a_long_list_goes_in_pieces(served: tuple[str, State], monkeypatch: pytest.MonkeyPatch) -> None:
    url, state = served
    monkeypatch.setattr(lists, "LARGEST", 100)
    names = [f"máy-{number:03}.example" for number in range(30)]
    assert lists.put(opened(url), "soc-names", [*names, "d" * 200]) == lists.Kept(31, 0)
    assert state.lists["soc-names"] == {*names, "d" * 200}
    sent = [path for _, path, _ in state.asked if path.partition("?")[0].endswith("/_import")]
    assert len(sent) == 7  # five names are 85 bytes, the long one is alone


def test_what_kibana_adds_is_no_difference() -> None:
    one = {"type": "tag", "id": "a", "attributes": {"optionsJSON": '{"a":1,"b":2}'}, "references": []}
    other = {**one, "attributes": {"optionsJSON": '{"b":2, "a":1}'}, "version": "Wz", "updated_at": "now"}
    assert objects.told_apart([one]) == objects.told_apart([other])
