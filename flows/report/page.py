"""Puts findings, pictures and words together into one HTML file that loads nothing and runs only its own script."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from importlib.resources import files
from pathlib import Path

import polars as pl
from markupsafe import Markup

from detectors.numbers import number
from detectors.schema import FINDING, LEVELS, TIME
from flows.report.cards import EVIDENCE_BYTES, Card, card, cut
from flows.report.pictures import FOOT, HEIGHT, LEFT, NARROW, WIDE, heatmap, timeline
from flows.report.stories import Told, stories
from flows.report.words import Clock, spoken, words
from flows.table import HOME, RANK
from flows.templates import pages

FINDINGS = 5_000  # on one page, the most severe first; a browser stays quick with these
KNOWN = pl.Schema({**FINDING, "soc.matches": pl.Int64()})  # what a store counts
CHOICES = 500  # of rules or hosts in one list of choices


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a filter's list."""

    value: str
    text: str
    count: int


def build(
    findings: pl.DataFrame,
    out: Path,
    *,
    title: str,
    stats: Mapping[str, object],
    generated: datetime,
    lang: str = "en",
    zone: tzinfo = HOME,
    attacks: Sequence[Told] = (),
    whole: Callable[[Sequence[str]], pl.DataFrame] | None = None,
) -> Path:
    """Write the report of findings (FINDING) and of a run's statistics (as `soc scan --stats` gives them) to `out`.

    `attacks` are those that are known beforehand, as of a simulation: the page tells the story of each. `whole` returns
    findings by their ids; with it `findings` need not have what only the cards show.
    """
    label = words(lang)
    clock = Clock(zone, label["time_format"])
    ranked = _ranked(spoken(findings, lang))
    shown = ranked.head(FINDINGS)
    if whole is not None:
        shown = _ranked(spoken(whole(shown["event.id"].to_list()), lang))
    cards = _cards(shown, clock, lang)
    times = list(ranked.select("@timestamp", "soc.level").iter_rows())
    content = {
        "t": label,
        "lang": lang,
        "title": cut(title, 200).text,
        "generated": clock.moment(generated),
        "zone": str(zone),
        "numbers": _numbers(ranked, stats, lang),
        "number": partial(number, lang=lang),
        "period": (clock.moment(_edge(ranked, "min")), clock.moment(_edge(ranked, "max"))),
        "levels": [(level, _count(ranked, level)) for level in reversed(LEVELS)],
        "timelines": [("wide", timeline(times, clock, lang, WIDE)), ("narrow", timeline(times, clock, lang, NARROW))],
        "size": {"height": HEIGHT, "foot": FOOT, "left": LEFT},
        "heatmap": heatmap(ranked["soc.attack"].fill_null([]).list.drop_nulls().to_list()),
        "rules": _choices((card.rule_id, card.rule) for card in cards),
        "hosts": _choices((host, host) for card in cards for host in card.hosts),
        "cards": cards,
        "stories": stories(attacks, ranked, cards, clock, lang),
        "left_out": max(ranked.height - FINDINGS, 0),
    }
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_rendered(content))
    return out


def _rendered(shown: Mapping[str, object]) -> Iterator[str]:
    folder = files(__package__)
    script = folder.joinpath("page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = pages("flows.report").get_template("page.html.j2")
    # The two files beside this one are ours: the only text of the page that isn't escaped.
    own = {"script": Markup(script), "style": Markup(folder.joinpath("page.css").read_text("utf-8"))}  # noqa: S704
    return template.generate(**shown, **own, digest=digest)


def _ranked(findings: pl.DataFrame) -> pl.DataFrame:
    """Order findings by level, then time; times beyond Python's calendar become unknown."""
    times = [name for name, kind in FINDING.items() if kind == TIME and name in findings.columns]
    level = pl.when(pl.col("soc.level").is_in(LEVELS)).then("soc.level").otherwise(pl.lit("informational"))
    return (
        findings.select(pl.col(name).cast(kind) for name, kind in KNOWN.items() if name in findings.columns)
        .with_columns(pl.when(pl.col(name).dt.year().is_between(1, 9999)).then(name).alias(name) for name in times)
        .with_columns(level.alias("soc.level"), RANK.alias("rank"))
        .sort("rank", "@timestamp", "event.id", descending=[True, False, False], nulls_last=True)
    )


def _cards(findings: pl.DataFrame, clock: Clock, lang: str) -> list[Card]:
    cards, room = [], EVIDENCE_BYTES
    for row in findings.iter_rows(named=True):
        made = card(row, clock, room, lang)
        room -= made.evidence.size
        cards.append(made)
    return cards


def _edge(findings: pl.DataFrame, which: str) -> datetime | None:
    edge = findings["@timestamp"].min() if which == "min" else findings["@timestamp"].max()
    return edge if isinstance(edge, datetime) else None


def _count(findings: pl.DataFrame, level: str) -> int:
    return findings.filter(pl.col("soc.level") == level).height


def _numbers(findings: pl.DataFrame, stats: Mapping[str, object], lang: str) -> list[tuple[str, str]]:
    """Return the summary's numbers with the names of their labels; what the run didn't count is left out."""
    hosts = findings["host.name"].explode(empty_as_null=True, keep_nulls=True).drop_nulls().n_unique()
    counted: list[tuple[str, object]] = [
        ("findings", findings.height),
        ("hosts", hosts),
        ("events", stats.get("events")),
    ]
    counted += [(name, stats.get(name)) for name in ("rules_loaded", "rules_failed")]
    counted.append(("lines_lost", stats.get("parse_failures")))
    counted += [(name, stats[name]) for name in ("excepted", "silenced_matches") if stats.get(name)]
    return [(name, number(value, lang)) for name, value in counted if isinstance(value, int | float)]


def _choices(values: Iterable[tuple[str, str]]) -> list[Choice]:
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for value, text in values:
        counts[value] += 1
        texts.setdefault(value, text)
    return [Choice(value, texts[value], count) for value, count in counts.most_common(CHOICES)]
