"""Which rows of which source a rule's log source means."""

from __future__ import annotations

import pytest

from detectors.contracts import LogSource
from detectors.sigma.logsources import EVERYTHING, Route, routes

WINDOWS = LogSource(product="windows")
SYSMON = "microsoft-windows-sysmon/operational"


@pytest.mark.parametrize(
    "rule",
    [LogSource(), WINDOWS, LogSource(category="proxy"), LogSource("proxy", "squid"), LogSource(service="access")],
)
def test_a_rule_that_covers_a_source_takes_all_of_it(rule: LogSource) -> None:
    source = WINDOWS if rule.product == "windows" else LogSource("proxy", "squid", "access")
    assert routes(rule, source) == (EVERYTHING,)


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
