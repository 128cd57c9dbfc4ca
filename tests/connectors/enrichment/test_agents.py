"""What is told of a user agent doesn't depend on the others."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from connectors.enrichment.agents import MAKES, agents

TEXTS = (
    "curl/8.4.0",
    "python-requests/2.31.0",
    "sqlmap/1.7#stable (https://sqlmap.org)",
    "-",
    "",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
    "\u00e9\x00",
)


@given(st.lists(st.sampled_from(TEXTS) | st.none(), max_size=6))
def test_several_are_told_as_each_alone(texts: list[str | None]) -> None:
    alone = [agents(pl.Series([text], dtype=pl.String)) for text in texts]
    found = agents(pl.Series(texts, dtype=pl.String))
    assert found.columns == list(MAKES)
    assert found.rows() == [row for each in alone for row in each.rows()]
