"""Log sources lead where SigmaHQ's own tables say: THOR's routes, pySigma's channels, and the list of legal fields."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from sigma.pipelines.common import windows_logsource_mapping

from connectors.definitions import load_definitions
from detectors.contracts import LogSource
from detectors.sigma.logsources import routes

DEFINED: Final = [definition.dialect.logsource for definition in load_definitions().values()]
WINDOWS: Final = LogSource(product="windows")
SYSMON: Final = "microsoft-windows-sysmon/operational"
DEFENDER: Final = "microsoft-windows-windows defender/operational"

Way = tuple[str, str, str]  # channel, event id, event type; "" stands for any
Ways = dict[str, set[Way]]
Entry = dict[str, Any]

# What our table has beyond THOR's, which has nothing beyond ours.
MORE: Final[Ways] = {
    "file_delete": {(SYSMON, "26", "")},  # a deletion of which no copy was kept; pySigma's Sysmon pipeline has it too
    "antivirus": {(DEFENDER, "1117", "")},  # what was done about 1116
    # the Security log's report of a changed value, as in pySigma's pipeline for Windows' own auditing
    "registry_event": {("security", "4657", "")},
    "registry_set": {("security", "4657", "")},
}

# Log sources that SigmaHQ lists ("empty": of any product) and no built-in definition reads, where it reads others.
NO_LOG: Final = {
    "windows": {
        "file_access": "traced by the kernel (ETW), written to no channel",
        "file_rename": "traced by the kernel (ETW), written to no channel",
    },
    "linux": {"modsecurity": "an error log of web servers"},
    "empty": {"netflow": "flows are read as firewall logs"},
    "azure": dict.fromkeys(("auditlogs", "pim", "riskdetection", "signinlogs"), "one definition for all of Azure"),
    "gcp": {"google_workspace.login": "Google Workspace is a product of its own"},
    "m365": dict.fromkeys(("exchange", "threat_detection", "threat_management"), "the audit log is one service"),
    "paloalto": {"file_event": "the appliance logs no files"},
    **{product: {} for product in ("aws", "github", "kubernetes", "okta", "opencanary")},
    **{product: {} for product in ("bitbucket", "cisco", "fortigate", "fortios", "huawei", "juniper", "jvm")},
    **{product: {} for product in ("modsecurity", "onelogin", "spring", "velocity", "zeek")},
}

# Products of which none reads any log.
NO_DEFINITION: Final = {"django", "macos", "nodejs", "python", "qualys", "rpc_firewall", "ruby_on_rails", "sql"}


def ours(logsource: LogSource) -> set[Way]:
    """Return where a log source leads in events of Windows."""
    return {
        (channel, number, kind)
        for route in routes(logsource, WINDOWS)
        for channel in route.where.get("Channel", {""})
        for number in route.where.get("EventID", {""})
        for kind in route.where.get("EventType", {""})
    }


def reached(logsource: LogSource) -> bool:
    """Say whether a log source leads to any event of a built-in definition."""
    return any(routes(logsource, source) for source in DEFINED)


@pytest.fixture(scope="module")
def thor(reference: Path) -> list[Entry]:
    table = yaml.safe_load((reference / "routing/thor.yml").read_text("utf-8"))
    return list(table["logsources"].values())


@pytest.fixture(scope="module")
def legal(reference: Path) -> dict[str, Any]:
    """Return the legal fields: by product, by "category" or "service", by name."""
    table: dict[str, Any] = json.loads((reference / "routing/logsource.json").read_text("utf-8"))["legit"]
    return table


def channels(thor: list[Entry]) -> dict[str, set[str]]:
    """Return the channels of each service of Windows."""
    entries = [entry for entry in thor if entry.get("product") == "windows" and "service" in entry]
    prefix = "WinEventLog:"
    return {entry["service"]: {name.removeprefix(prefix).lower() for name in entry["sources"]} for entry in entries}


def categories(thor: list[Entry]) -> Iterator[tuple[str, set[Way], dict[str, str]]]:
    """Yield each category of Windows with where it leads and what its fields are called there."""
    for entry in thor:
        if "rewrite" in entry:
            conditions = {"EventType": "", **entry["conditions"]}
            ids = conditions["EventID"] if isinstance(conditions["EventID"], list) else [conditions["EventID"]]
            places = channels(thor)[entry["rewrite"]["service"]]
            ways = set(product(places, map(str, ids), [conditions["EventType"].lower()]))
            yield entry["category"], ways, entry.get("fieldmappings", {})


@pytest.mark.reference
def test_categories_lead_where_thor_leads(thor: list[Entry]) -> None:
    theirs: Ways = defaultdict(set)
    for category, ways, _ in categories(thor):
        theirs[category] |= ways
    leading = {category: ours(LogSource(category, "windows")) for category in theirs}
    assert {category: less for category, ways in theirs.items() if (less := ways - leading[category])} == {}
    assert {category: more for category, ways in theirs.items() if (more := leading[category] - ways)} == MORE


@pytest.mark.reference
def test_fields_are_called_what_thor_calls_them(thor: list[Entry]) -> None:
    renamed = [entry for entry in categories(thor) if entry[2]]
    assert {category for category, _, _ in renamed} == {"antivirus", "process_creation"}
    for category, ways, names in renamed:
        for channel, number, _ in ways:
            taken = [route for route in routes(LogSource(category), WINDOWS) if number in route.where["EventID"]]
            assert [route.where["Channel"] for route in taken] == [{channel}]
            assert {name: own in taken[0].fields[name] for name, own in names.items()} == dict.fromkeys(names, True)


@pytest.mark.reference
def test_services_lead_where_thor_and_pysigma_lead(thor: list[Entry]) -> None:
    theirs = channels(thor)
    for service, names in windows_logsource_mapping.items():
        listed = [names] if isinstance(names, str) else names
        theirs.setdefault(service, set()).update(name.lower() for name in listed)
    leading = {service: ours(LogSource(None, "windows", service)) for service in theirs}
    assert leading == {service: {(name, "", "") for name in names} for service, names in theirs.items()}


@pytest.mark.reference
def test_text_files_are_read_where_thor_reads_them(thor: list[Entry]) -> None:
    of_files = [entry for entry in thor if entry.get("sources", [""])[0].startswith("File:")]
    logsources = [LogSource(entry.get("category"), entry.get("product"), entry.get("service")) for entry in of_files]
    assert {str(logsource) for logsource in logsources if reached(logsource)} == {
        "webserver",
        "linux/auth",
        "linux/syslog",
        "appliance",
    }
    # any file at all: no rule of SigmaHQ asks for it
    assert {str(logsource) for logsource in logsources if not reached(logsource)} == {"logfile"}


@pytest.mark.reference
def test_listed_log_sources_lead_somewhere(legal: dict[str, Any]) -> None:
    lost: dict[str, set[str]] = {name: set() for name in legal}
    for name, kind in product(legal, ("category", "service")):
        for each in legal[name][kind]:
            if not reached(LogSource(**{"product": None if name == "empty" else name, kind: each})):
                lost[name].add(each)
    whole = {name for name, kinds in legal.items() if lost[name] == {*kinds["category"], *kinds["service"]}}
    assert whole == NO_DEFINITION
    assert {name: lost[name] for name in legal.keys() - whole} == {name: {*each} for name, each in NO_LOG.items()}


@pytest.mark.reference
def test_renamed_fields_are_ones_that_rules_may_name(legal: dict[str, Any]) -> None:
    renamed = {}
    for category, fields in legal["windows"]["category"].items():
        for route in routes(LogSource(category, "windows"), WINDOWS):
            if route.fields:
                renamed[category] = route.fields.keys() - {*fields, *legal["windows"]["common"]}
    assert renamed == {"process_creation": set(), "registry_set": set(), "registry_event": set()}


@pytest.mark.reference
def test_rules_of_sigmahq_reach_a_definition_or_it_is_known_that_none_is_there(reference: Path) -> None:
    lost = set()
    for path in (reference / "rules").rglob("*.yml"):
        given = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["logsource"]
        logsource = LogSource(given.get("category"), given.get("product"), given.get("service"))
        if not reached(logsource):
            lost.add(logsource)
    unlisted = {each for each in lost if not {each.category, each.service} & {*NO_LOG.get(each.product or "empty", {})}}
    assert {logsource.product for logsource in unlisted} <= NO_DEFINITION
