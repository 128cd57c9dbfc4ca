"""The quick pattern of access logs and the general one agree; what is no HTTP costs nothing else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.formats import access, fitting
from connectors.formats.access import Access
from connectors.formats.frames import ERROR

LINES = (
    '192.0.2.7 - - [02/Mar/2026:08:15:00 +0700] "GET /a?b=1?c HTTP/1.1" 200 5 "-" "curl"',
    '2001:db8::7 - lan [02/Mar/2026:08:15:00 +0700] "POST / HTTP/2.0" 302 - "https://example.com/" "" "192.0.2.9"',
    '192.0.2.7 - - [02/Mar/2026:08:15:00 +0700] "GET /? HTTP/1.1" 200 5 "-" "-" 0.003',
)


def check_both_patterns(lines: list[str]) -> None:
    text = pl.Series(lines)
    usual = fitting.groups(text, access.USUAL)
    held = usual["time"].is_not_null()
    general = access._unusual(text.filter(held)).select(usual.columns)
    assert held.any()
    assert general.to_dicts() == usual.filter(held).to_dicts()


def test_both_patterns_agree() -> None:
    check_both_patterns(list(LINES))


@pytest.mark.reference
def test_both_patterns_agree_on_real_lines(reference: Path) -> None:
    check_both_patterns((reference / "web/apache_logs_10k").read_text().split("\n")[:-1])


@pytest.mark.parametrize(
    ("request_line", "method", "stem", "query"),
    [
        ("GET /a?b=1 HTTP/1.1", "GET", "/a", "b=1"),
        ("GET /a", "GET", "/a", None),
        ("GET http://example.com/a?b HTTP/1.1", "GET", "/a", "b"),
        ("GET /a b?c HTTP/1.1", "GET", "/a b", "c"),
        (r"GET /\"x\" HTTP/1.1", "GET", r"/\"x\"", None),
        (r"\x16\x03\x01", None, None, None),
        ("-", None, None, None),
        ("", None, None, None),
    ],
)
def test_a_request_is_taken_apart(request_line: str, method: str | None, stem: str | None, query: str | None) -> None:
    line = f'192.0.2.7 - - [02/Mar/2026:08:15:00 +0700] "{request_line}" 400 0'
    row = Access().parse(pl.Series([line]), None).to_dicts()[0]
    assert (row["cs-method"], row["cs-uri-stem"], row["cs-uri-query"]) == (method, stem, query)
    assert (row["sc-status"], row[ERROR]) == ("400", None)


@pytest.mark.parametrize("line", ["", "GET / HTTP/1.1", "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok"])
def test_another_line_is_an_error(line: str) -> None:
    assert Access().parse(pl.Series([line]), frozenset()).to_dicts() == [{ERROR: "not a line of an access log"}]
