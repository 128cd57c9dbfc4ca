"""What is asked of documents, in Kibana's query language (KQL)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashboards.terms import Is, Test, Where


def kql(where: Where | Mapping[str, Test]) -> str:
    """Return the query that all tests of some fields hold; empty where there are none.

    >>> kql({"soc.level": Test(one_of=("high", "critical")), "soc.follows": Test(there=False)})
    'soc.level: ("high" or "critical") and not soc.follows: *'
    """
    return " and ".join(term for field, test in where.items() for term in _terms(field, test))


def both(*queries: str) -> str:
    """Return the query that all of some queries hold."""
    return " and ".join(query for query in queries if query)


def _terms(field: str, test: Test) -> Iterator[str]:
    if test.one_of:
        yield f"{field}: {_values(test.one_of)}"
    if test.none_of:
        yield f"not {field}: {_values(test.none_of)}"
    if test.at_least is not None:
        yield f"{field} >= {test.at_least:g}"
    if test.there is not None:
        yield f"{field}: *" if test.there else f"not {field}: *"


def _values(values: tuple[Is, ...]) -> str:
    texts = [_quoted(value) for value in values]
    return texts[0] if len(texts) == 1 else f"({' or '.join(texts)})"


def _quoted(value: Is) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if isinstance(value, str) else text
