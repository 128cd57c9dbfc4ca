"""Exceptions to correlations: what filters may say of them, and what they take."""

from __future__ import annotations

from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from detectors.content import contents
from detectors.contracts import Block
from detectors.correlation.correlator import Correlator
from detectors.correlation.exceptions import Excepted, Resolved, names, resolve
from detectors.correlation.link import SECOND, Linked, link
from detectors.correlation.memory import Held
from detectors.correlation.rule import Correlation
from detectors.sigma import exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from tests.property.correlation_oracle import Event
from tests.property.correlations import IDS, TEXT, frame
from tests.property.test_correlation_streams import Sink, cut

MANY = """title: Many
name: many
correlation:
  type: event_count
  rules: a
  group-by: user
  timespan: 5s
  condition: {gte: 3}
"""
FILTER = """title: Backups
id: 00000000-0000-4000-8000-00000000000f
logsource: {category: test}
filter:
  rules: many
  backups: {user: backup*}
  condition: not backups
"""
OLD = """title: Counted the old way
name: old
id: 00000000-0000-4000-8000-0000000000c0
logsource: {category: test}
detection:
  selection: {is_a: 1}
  timeframe: 1m
  condition: selection | count() by user > 3
"""


def read(*documents: str) -> tuple[list[Rule], list[Correlation], list[Filter]]:
    found = [*contents("---\n".join([TEXT.removesuffix("---\n"), *documents]), "r.yml")]
    kinds = (Rule, Correlation, Filter)
    assert all(isinstance(each, kinds) for each in found), found
    rules, correlations, filters = ([each for each in found if isinstance(each, kind)] for kind in kinds)
    return rules, correlations, filters  # type: ignore[return-value]  # one list of each kind


def resolved(*documents: str) -> tuple[Resolved, exceptions.Resolved]:
    rules, correlations, filters = read(*documents)
    called, logsources = names(correlations), {rule.id: rule.logsource for rule in rules}
    linked, _ = link(correlations, rules)
    return resolve(filters, linked, logsources, called), exceptions.resolve(filters, rules, called)


def excepted(*documents: str) -> tuple[list[Linked], Excepted]:
    rules, correlations, filters = read(*documents)
    linked, faults = link(correlations, rules)
    assert not faults
    logsources = {rule.id: rule.logsource for rule in rules}
    return [*linked], Excepted(filters, linked, logsources, names(correlations), ZoneInfo("Asia/Ho_Chi_Minh"))


def run(linked: list[Linked], made: Excepted, batches: list[list[Event]]) -> tuple[Sink, dict[str, str]]:
    """Return what is found, and the finding of each suppressed event."""
    sink, taken, memory = Sink(), dict[str, str](), Held()
    correlator = Correlator(linked, memory, excepted=made)
    for batch in batches:
        blocks = [Block(rule, frame([each for each in batch if each.rule == rule])) for rule in correlator.fields]
        for found in correlator.take(blocks):
            sink.write(found)
            taken |= {event: group for (event,), group in found.suppressed.select("event.id", "soc.group").iter_rows()}
        correlator.told(blocks)
    assert not correlator.failures
    return sink, taken


def events(user: str, *seconds: int, rule: str = "a") -> list[Event]:
    return [Event(IDS[rule], f"{user}{each}", each * SECOND, {"user": user}) for each in seconds]


def test_a_filter_takes_the_groups_it_describes_and_no_others() -> None:
    linked, made = excepted(MANY, FILTER)
    sink, taken = run(linked, made, [[*events("backup1", 0, 1, 2), *events("lan", 0, 1, 2)]])
    assert [group for group, *_ in sink.findings.values()] == ["user=lan"]
    assert taken == {f"backup1{each}": "user=backup1" for each in range(3)}


def test_without_the_exception_they_are_findings_again_though_they_were_concluded_from() -> None:
    linked, made = excepted(MANY, FILTER)
    memory = Held()
    for exception, expected in ((made, 0), (None, 1)):
        correlator, found = Correlator(linked, memory, excepted=exception), 0
        number = 3 if exception is None else 0
        blocks = [Block(IDS["a"], frame(events("backup1", *range(number, number + 3))))]
        for each in correlator.take(blocks):
            found += each.findings.height
            if exception is None:
                assert each.matches.height == 6  # those that were kept before are told, too
        correlator.told(blocks)
        assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_order_and_batches_change_nothing(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    linked, made = excepted(MANY, FILTER)
    users = ("backup1", "Backup2", "lan", "minh")
    stream = [Event(IDS["a"], f"e{each}", random.randrange(60) * SECOND, {"user": random.choice(users)})
              for each in range(60)]  # fmt: skip
    sink, taken = run(linked, made, [stream])
    assert taken
    assert sink.findings
    for _ in range(3):
        shuffled = random.sample(stream, len(stream))
        other, again = run(linked, made, [*cut(shuffled, random, 5)])
        assert (other.findings, other.matches, again) == (sink.findings, sink.matches, taken)


def test_what_is_taken_feeds_no_other_correlation() -> None:
    outer = (
        "title: Outer\nname: outer\ncorrelation: {type: event_count, rules: many, timespan: 9s, condition: {gte: 1}}\n"
    )
    linked, made = excepted(MANY, outer, FILTER)
    sink, taken = run(linked, made, [events("backup1", 0, 1, 2)])
    assert not sink.findings
    assert len(taken) == 3  # `many` has no findings of its own, and still it is seen what is not counted
    assert run(linked, made, [events("lan", 0, 1, 2)])[0].findings


@pytest.mark.parametrize(("terms", "found"), [
    ("{valid_to: 1970-01-01T07:00:08}", 1),  # alerts that end before are taken: in the zone of the settings
    ("{valid_to: 1970-01-01}", 0),
    ("{valid_from: 1970-01-02}", 1),
])  # fmt: skip
def test_terms_are_judged_when_the_window_ends(terms: str, found: int) -> None:
    linked, made = excepted(MANY, FILTER + f"soc: {terms}\n")
    sink, _ = run(linked, made, [events("backup1", 0, 1, 2, 8, 9, 10)])
    assert len(sink.findings) == found


def test_of_one_organisation_only() -> None:
    grouped = MANY.replace("group-by: user", "group-by: [user, organization.id]")
    linked, made = excepted(grouped, FILTER + "soc: {organisation: SOTTTT}\n")
    both = [Event(IDS["a"], f"{whose}{each}", each * SECOND, {"user": "backup1", "organization.id": whose})
            for whose in ("sotttt", "soyt") for each in range(3)]  # fmt: skip
    whose = pl.Series("field:organization.id", [each.fields["organization.id"] for each in both])
    blocks = frame(both).with_columns(whose)
    found = [*Correlator(linked, Held(), excepted=made).take([Block(IDS["a"], blocks)])]
    assert [group for each in found for group in each.findings["soc.group"]] == ["user=backup1 | organization.id=soyt"]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("user: b", "usr: b", "r.yml:38:10: alerts of `many` have user; they have no `usr`; did you mean `user`?"),
    ("{user: backup*}", "[backup]", "and no text to look for keywords in"),
    ("category: test", "product: windows", "is of test, none of which windows covers"),
    ("rules: many", "rules: mani", "there is no rule `mani` to except from; did you mean `many`?"),
    ("condition: not", "condition: not backups\nsoc: {organisation: x}\n#", "don't say whose they are"),
])  # fmt: skip
def test_what_can_not_be_asked_of_alerts_is_refused_with_a_fix(old: str, new: str, said: str) -> None:
    correlated, ruled = resolved(MANY, FILTER.replace(old, new))
    assert said in "\n".join(map(str, (*correlated.faults, *ruled.faults)))
    assert not correlated.filters


def test_a_filter_of_a_correlation_that_can_not_run_says_so() -> None:
    correlated, ruled = resolved(MANY.replace("rules: a", "rules: nobody"), FILTER)
    assert [str(fault) for fault in correlated.faults] == [
        "r.yml:38:10: the correlation `many` can't be run; see what is said of it"
    ]
    assert not ruled.faults


def test_any_reaches_no_correlation() -> None:
    correlated, ruled = resolved(MANY, FILTER.replace("rules: many", "rules: any"))
    assert not correlated.filters
    assert set(ruled.filters) == {0, 1, 2}


@pytest.mark.parametrize("name", ["old", "00000000-0000-4000-8000-0000000000c0"])
def test_an_aggregation_of_sigma_1_is_one_rule_whose_events_are_asked(name: str) -> None:
    correlated, ruled = resolved(OLD, FILTER.replace("many", name).replace("user:", "whatever:"))
    assert not correlated.faults
    assert not correlated.filters
    assert not ruled.faults
    assert set(ruled.filters) == {3}
