"""Rules made to do harm: each is compiled within bounds, or refused with the reason, and no other rule notices."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from detectors.errors import RuleError
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.predicates import predicates
from detectors.sigma.rule import Rule, decode_rule, encode_rule
from tests.detectors.sigma.asking import DIALECT, compiled, document, faults, frame, matching

HEAVY = "more than 16 million characters to look for"
SECONDS = 20  # of processor time for one rule; those that take longest take 4
MEMORY = 500_000_000  # bytes of a whole process, 80 million of which are taken before any rule


def several(number: int, text: str) -> str:
    """Return a list of values under a field."""
    return "\n".join(f"  - '{text.format(each)}'" for each in range(number))


# name → a detection, and what its refusal says
REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "windash, 5^12": (lambda: f"f|windash: '{' -a' * 12}'", "12 dashes to vary"),
    "windash, 5^10000": (lambda: f"f|windash: '{' -a' * 10_000}'", "10000 dashes to vary"),
    "windash of a megabyte": (lambda: f"f|windash: '-a -b -c{'x' * 1_000_000}'", "3 dashes to vary in 1000008"),
    "windash in a long list": (lambda: f"f|windash:\n{several(1_000, 'x{}' + 'y' * 200 + ' -a -b -c')}", HEAVY),
    "windash in a longer list": (lambda: f"f|windash:\n{several(60_000, 'x{:05} -a -b -c')}", HEAVY),
    "too many values": (lambda: f"f:\n{several(210_000, 'v{}')}", "more than 200000 parts"),
    "too much text": (lambda: f"f|contains:\n{several(20, 'v{}' + 'x' * 900_000)}", HEAVY),
    "too many patterns": (lambda: f"f|contains:\n{several(600, 'a*{}?b')}", HEAVY),
    "too many regular expressions": (lambda: f"f|re:\n{several(600, 'a.*{}b')}", HEAVY),
    "a long pattern": (lambda: f"f: '{'*a' * 20_000}'", "a pattern of 60008 characters; at most 20000 can be run"),
    "repetition of repetition": (lambda: "f|re: '((a{100}){100}){100}'", "invalid repetition size"),
    "a large class, repeated": (lambda: r"f|re: '\pL{1000}'", "pattern too large"),
    "parentheses": (lambda: f"sel: {{f: x}}\ncondition: {'(' * 1_000}sel{')' * 1_000}", "deeper than 64"),
    "a megabyte of condition": (lambda: f"s: {{f: x}}\ncondition: {'s or ' * 200_000}s", "longer than 100000"),
    "a large part in every condition": (
        lambda: f"s:\n  f: [{', '.join(f'v{each}' for each in range(9_999))}]\ncondition: [{', '.join(['s'] * 1_000)}]",
        HEAVY,
    ),
    "patterns over many names": (
        lambda: "".join(f"s{each}: {{f: x}}\n" for each in range(2_000))
        + f"condition: {' or '.join(f'1 of s{each}*' for each in range(5_000))}",
        HEAVY,
    ),
    "nested lists": (lambda: "[" * 1_000 + "x" + "]" * 1_000, "nested deeper than 200 levels"),
    "nested maps": (lambda: "{a: " * 1_000 + "x" + "}" * 1_000, "nested deeper than 200 levels"),
    "an alias of itself": (lambda: "a: &a [x, *a]\ncondition: a", "nested deeper than 200 levels"),
    "aliases of aliases": (
        lambda: "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
        + "condition: a8",
        "more than 200000 parts",
    ),
    "merges of merges": (
        lambda: f"a0: &a0 {{{', '.join(f'k{n}: x' for n in range(1_000))}}}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9))
        + "condition: a8",
        "more than 200000 parts",
    ),
    "encoding upon encoding": (lambda: f"f{'|base64' * 100}: x", "more than 8 modifiers"),
}  # fmt: skip

# name → a detection, a value that matches, a value that doesn't
BOUNDED: dict[str, tuple[Callable[[], str], str, str]] = {
    "windash, 5^3": (lambda: f"f|windash|contains:\n{several(99, 'x{} -a -b -c')}", "x98 /a /b \u2014c", "x99 -a"),
    "100,000 values": (lambda: f"f:\n{several(100_000, 'v{}')}", "V99999", "v100000"),
    "100,000 parts": (lambda: f"f|contains:\n{several(100_000, 'v{:06}x')}", "a V099999X b", "v1x"),
    "wildcards in a row": (lambda: f"f: 'a{'*?' * 9_000}b'", "a" + "x" * 9_000 + "b", "a" + "x" * 8_999 + "b"),
    "many stars": (lambda: f"f: '{'*a' * 5_000}'", "ba" * 5_000, "ba" * 4_999),
    "stars and question marks": (lambda: f"f: '{'*a?' * 1_000}*'", "ab" * 1_000, "ab" * 999),
    "hundreds of patterns": (lambda: f"f|contains:\n{several(400, 'a*{:03}?b')}", "xa--399-bx", "a39-b"),
    "repetition": (lambda: "f|re: '^a{1000}$'", "a" * 1_000, "a" * 1_001),
    "exponential to others": (lambda: "f|re: '^(a|aa)+$'", "a" * 30_000, "a" * 30_000 + "b"),
    "many states": (lambda: "f|re: '[ab]*a[ab]{900}x'", "a" * 901 + "x", "b" * 5_000 + "x"),
    "base64offset of a megabyte": (lambda: f"f|base64offset|contains: {'x' * 1_000_000}", "eHh4" * 333_334, "eHh4"),
    "nested lists": (lambda: "[" * 190 + "{f: x}" + "]" * 190, "x", "y"),
    "parentheses, not, and, or": (
        lambda: "a: {f: x}\nb: {f: y}\ncondition: " + "(a or b and not " * 64 + "a" + ")" * 64,
        "x",
        "z",
    ),
    "thousands of not": (lambda: f"a: {{f: x}}\ncondition: {'not ' * 20_000}a", "x", "y"),
    "thousands of parts": (
        lambda: "".join(f"s{each}: {{f|contains: 'v{each}x'}}\n" for each in range(5_000)) + "condition: 1 of them",
        "v4999x",
        "v5000x",
    ),
    "thousands of parts, all of them": (
        lambda: "".join(f"s{each}: {{f|contains: '{each:04}'}}\n" for each in range(3_000)) + "condition: all of them",
        "".join(f"{each:04}" for each in range(3_000)),
        "".join(f"{each:04}" for each in range(2_999)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_within_bounds(name: str) -> None:
    make, reason = REFUSED[name]
    text, begin = make(), time.process_time()
    (fault,) = faults(text)
    assert reason in fault
    assert fault.startswith("test.yml:")
    assert time.process_time() - begin < SECONDS


@pytest.mark.parametrize("name", BOUNDED)
def test_run_within_bounds(name: str) -> None:
    make, fits, other = BOUNDED[name]
    text, begin = make(), time.process_time()
    rule = compiled(text)
    hits = Engine([rule]).detect(DIALECT, frame([{"f": other}, {"f": fits}, {"g": fits}]))
    assert hits.row.tolist() == [1]
    assert time.process_time() - begin < SECONDS
    assert decode_rule(encode_rule(rule)) == rule


def test_memory_is_bounded() -> None:
    """In a process of its own: the peak is that of a whole life, and `getrusage` counts the parent's before `exec`."""
    script = (
        "import re\n"
        "from tests.detectors.sigma import test_adversarial_rules as rules\n"
        "rules.test_refused_within_bounds('too much text')\n"
        "rules.test_run_within_bounds('base64offset of a megabyte')\n"
        "print(re.search(r'VmHWM:\\s*([0-9]+) kB', open('/proc/self/status').read())[1])\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) * 1024 < MEMORY


def test_one_bad_rule_harms_no_other() -> None:
    good = [
        document(f"f|contains: needle{number}x").replace("0d1f6b6f2a11", f"{number:012}") for number in range(1_000)
    ]
    for name, (make, reason) in list(REFUSED.items())[:2]:
        text = "---\n".join([*good[:500], document(make()), *good[500:]])
        found = list(rules(text, "r.yml"))
        (fault,) = (each for each in found if isinstance(each, RuleError))
        assert reason in str(fault), name
        able = [each for each in found if isinstance(each, Rule)]
        assert len(able) == 1_000
    hits = Engine(able).detect(DIALECT, frame([{"f": f"a needle{number}x b"} for number in (999, 0, 500)]))
    assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == [(0, 1), (500, 2), (999, 0)]


def test_wildcards_in_a_row_are_one() -> None:
    (predicate,) = predicates(compiled("f: 'a*?*?**?b'").condition)
    assert predicate.values == ("a???*b",)
    assert matching("f: 'a*?*?**?b'", {"f": "axxb"}, {"f": "axxxb"}, {"f": "axxxxb"}) == [1, 2]


def test_a_document_that_breaks_off_costs_what_follows_not_what_came() -> None:
    found = list(rules(document("f: x") + "---\ntitle: [\n", "r.yml"))
    assert [type(each) for each in found] == [Rule, RuleError]
