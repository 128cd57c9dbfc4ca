"""Which rows of which source a rule's log source means."""

from __future__ import annotations

import pytest

from detectors.contracts import LogSource
from detectors.sigma.logsources import EVERYTHING, Route, routes

WINDOWS = LogSource(product="windows")
SYSMON = "microsoft-windows-sysmon/operational"


@pytest.mark.parametrize(
    "rule",
    [LogSource(), WINDOWS, LogSource("application"), LogSource("application", "shop"), LogSource(service="audit")],
)
def test_a_rule_that_covers_a_source_takes_all_of_it(rule: LogSource) -> None:
    source = WINDOWS if rule.product == "windows" else LogSource("application", "shop", "audit")
    assert routes(rule, source) == (EVERYTHING,)


@pytest.mark.parametrize(
    ("category", "field", "column"),
    [
        ("firewall", "dst_ip", "destination.ip"),
        ("dns", "query", "dns.question.name"),
        ("proxy", "c-uri", "url.original"),
    ],
)
def test_fields_of_a_category_are_found_in_ecs_as_well(category: str, field: str, column: str) -> None:
    whole, named = routes(LogSource(category), LogSource(category, "brand"))
    assert whole == EVERYTHING
    assert named.where == {}
    assert named.fields[field][0] == column


def test_a_product_may_have_other_names() -> None:
    source = LogSource("firewall", "fortinet", "fortigate")
    assert routes(LogSource(product="fortios", service="sslvpnd"), source) == (EVERYTHING,)
    (events,) = routes(LogSource(product="fortigate", service="event"), source)
    assert events.where == {"type": frozenset({"event"})}
    assert routes(LogSource(product="fortiweb"), source) == ()
    assert routes(LogSource(product="fortios", service="nonesuch"), source) == ()


def test_services_of_a_product_are_rows_of_its_logs() -> None:
    source = LogSource(product="zeek")
    (dns,) = routes(LogSource(product="zeek", service="dns"), source)
    assert dns.where == {"kind": frozenset({"dns"})}
    (answers,) = routes(LogSource("dns"), source)
    assert answers.fields["answer"] == ("answers",)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (LogSource(product="linux"), WINDOWS),
        (LogSource(category="no_such_category", product="windows"), WINDOWS),
        (LogSource(product="windows", service="no-such-service"), WINDOWS),
        (LogSource("process_creation", "windows"), LogSource(product="linux")),
        (LogSource(category="proxy"), LogSource(category="webserver")),
        (LogSource(category="process_creation"), LogSource(category="proxy")),
    ],
)
def test_a_rule_without_a_route_is_not_run(rule: LogSource, source: LogSource) -> None:
    assert routes(rule, source) == ()


def test_a_category_is_its_kinds_of_events() -> None:
    sysmon = [
        route for route in routes(LogSource("process_creation", "windows"), WINDOWS) if SYSMON in route.where["Channel"]
    ]
    assert [route.where["EventID"] for route in sysmon] == [frozenset({"1"})]


def test_a_service_is_its_channels() -> None:
    (security,) = routes(LogSource(product="windows", service="security"), WINDOWS)
    assert security.where == {"Channel": frozenset({"security"})}


def test_a_category_and_a_service_must_both_be_so() -> None:
    both = routes(LogSource("process_creation", "windows", "sysmon"), WINDOWS)
    assert [route.where["Channel"] for route in both] == [frozenset({SYSMON})]
    assert routes(LogSource("process_creation", "windows", "system"), WINDOWS) == ()


def test_a_source_may_be_a_category_or_a_service_itself() -> None:
    own = LogSource("process_creation", "windows")
    assert routes(LogSource("process_creation", "windows"), own) == (EVERYTHING,)
    assert routes(LogSource("process_creation", "windows", "sysmon"), own) == routes(
        LogSource(product="windows", service="sysmon"), WINDOWS
    )


def test_two_routes_at_once_are_what_both_allow() -> None:
    one = Route({"a": frozenset("xy"), "b": frozenset("z")}, {"F": ("f",)})
    two = Route({"a": frozenset("yz")}, {"G": ("g",)})
    assert one & two == Route({"a": frozenset("y"), "b": frozenset("z")}, {"F": ("f",), "G": ("g",)})
    assert EVERYTHING & one == one
