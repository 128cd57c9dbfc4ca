"""User agents: which program says it asks, which version, on what (`agents.yml`).

A library that knows thousands of devices was weighed and left out: an analyst asks whether it is a browser, a bot, a
tool or a script, and what its family and version are; that fits into one small table.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from connectors.needles import possible, seen_in
from connectors.nodes import LOADER

NAME, VERSION, KIND = "user_agent.name", "user_agent.version", "soc.user_agent.kind"
SYSTEM, SYSTEM_VERSION, DEVICE = "user_agent.os.name", "user_agent.os.version", "user_agent.device.name"
MAKES: Final = (NAME, VERSION, KIND, SYSTEM, SYSTEM_VERSION, DEVICE)
LONGEST: Final = 1_000  # characters that are looked at


def agents(texts: pl.Series) -> pl.DataFrame:
    """Return MAKES, all texts, of user agents; each distinct one is looked at once."""
    distinct = texts.unique().drop_nulls().alias("agent")
    short = distinct.str.slice(0, LONGEST)
    table, seen = _table(), seen_in(short)
    names = _first(short, [(name, pattern) for _, name, pattern in table["names"]], seen)
    kinds = {name: kind for kind, name, _ in table["names"]}
    systems = _first(short, [(name, pattern) for name, pattern in table["systems"]], seen)
    devices = _first(short, [(name, pattern) for name, pattern in table["devices"]], seen)
    found = pl.DataFrame(
        [
            distinct,
            names["name"].alias(NAME),
            names["version"].alias(VERSION),
            names["name"].replace_strict(kinds, default="unknown", return_dtype=pl.String).alias(KIND),
            systems["name"].alias(SYSTEM),
            systems["version"].str.replace_all("_", ".", literal=True).alias(SYSTEM_VERSION),
            devices["name"].alias(DEVICE),
        ]
    )
    return texts.alias("agent").to_frame().join(found, on="agent", how="left", maintain_order="left").drop("agent")


def _first(texts: pl.Series, ways: list[tuple[str, str]], seen: str) -> pl.DataFrame:
    """Return the name of the first pattern that each text fits, and what its group holds."""
    text, nothing = pl.col("text"), pl.lit(None, pl.String)
    ways = [(name, pattern) for name, pattern in ways if possible(pattern, seen)]  # the others need not be compiled
    name = pl.coalesce([*(pl.when(text.str.contains(pattern)).then(pl.lit(each)) for each, pattern in ways), nothing])
    version = pl.coalesce([*(text.str.extract(pattern) for _, pattern in ways), nothing])
    found = texts.alias("text").to_frame().with_columns(name.alias("name"), version.alias("version"))
    return found.with_columns(pl.when(pl.col("version") != "").then(pl.col("version")).alias("version"))


@cache
def _table() -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = yaml.load(Path(__file__).with_name("agents.yml").read_text("utf-8"), LOADER)  # noqa: S506 - it is safe
    return table
