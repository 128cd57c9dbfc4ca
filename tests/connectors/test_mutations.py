"""Whatever becomes of a line on its way: no source fails on it, and none is lost."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from connectors import recognise
from connectors.definitions import load_definitions
from connectors.lines import records
from connectors.multiline import Joining
from connectors.parser import DefinedParser
from detectors.contracts import Batch

SAMPLES = Path(__file__).parents[1] / "samples"
DEFINITIONS = load_definitions()
GENERAL = {"apache", "auth", "json", "nginx", "portal", "syslog", "tomcat_access"}  # single lines of them look alike
SAMPLED = sorted(set(DEFINITIONS) - GENERAL)
VAGUE = {("apache_error", "starting"), ("iptables", "cut_off")}  # read where their source is named, and not told alone
SINGLE = sorted(name for name, each in DEFINITIONS.items() if not isinstance(each.reader, Joining))
NOISE = ["\x00", '"', "\\", "=", ",", "|", "[", "{", "%", "\n", "\ufeff", "é", "e\u0301", "\U0001f600", " ", "9" * 30]


def lines(source: str, *, telling: bool = False) -> list[str]:
    """Return the samples of a source; `telling` leaves out those that alone could be of many."""
    paths = sorted((SAMPLES / source).glob("*.json"))
    kept = [path for path in paths if not (telling and (source, path.stem) in VAGUE)]
    return [json.loads(path.read_text("utf-8"))["input"] for path in kept]


def mutated(line: str, chance: random.Random) -> list[str]:
    """Return the line cut short, with something in it, without a part, and with a part twice."""
    places = [chance.randrange(len(line)) for _ in range(12)]
    found = [line[:place] for place in places]
    found += [line[:place] + chance.choice(NOISE) + line[place:] for place in places]
    found += [line[: min(pair)] + line[max(pair) :] for pair in pairwise(places)]
    found += [line[: max(pair)] + line[min(pair) :] for pair in pairwise(places)]
    return [*found, line[::-1], line * 3, line.upper(), line.lower()]


@pytest.mark.parametrize("source", SINGLE)
def test_no_mutated_line_fails_or_is_lost(source: str) -> None:
    chance = random.Random(source)  # noqa: S311 - the same lines each time
    batch = [made for line in lines(source) for made in mutated(line, chance)]
    frame = records(batch, range(len(batch)))
    parser = DefinedParser(DEFINITIONS[source].model_copy(update={"multiline": None}), year=2026)
    for wanted in (None, ["source.ip", "user.name", "event.type", "message"]):
        parsed = parser.parse(Batch(source, "file:x", "x", frame), wanted)
        offsets = [*parsed.events["log.offset"].to_list(), *parsed.dead["log.offset"].to_list()]
        assert sorted(offsets) == list(range(len(batch)))
        assert parsed.dead["error.message"].null_count() == 0


@pytest.mark.parametrize("source", SINGLE)
def test_a_mutated_line_costs_only_itself(source: str) -> None:
    good = lines(source)[:1]
    parser = DefinedParser(DEFINITIONS[source].model_copy(update={"multiline": None}), year=2026)
    alone = parser.parse(Batch(source, "file:x", "x", records(good, [0])), None).events
    beside = [good[0][: len(good[0]) // 2], *good, "\x00", good[0].replace("=", "")]
    among = parser.parse(Batch(source, "file:x", "x", records(beside, range(4))), None).events
    row = among.filter(among["log.offset"] == 1)
    names = [name for name in alone.columns if name != "log.offset" and not alone[name].is_null()[0]]
    assert row.select(names).equals(alone.select(names))


@pytest.fixture(scope="module")
def told() -> dict[str, list[bool]]:
    """Return which sources each sample could be of, all read at once: a sample is a record, whatever stands around."""
    every = [line for source in SAMPLED for line in lines(source, telling=True)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recognise, "_possible", lambda _, definitions: definitions)
        patched.setattr(recognise, "_whole", lambda records, _: records)
        patched.setattr(recognise, "_told", lambda frame, _: frame)  # a line that is alone always tells
        found = recognise.fitting(pl.Series(every), DEFINITIONS)
        return {
            name: [False] * len(every) if fits is recognise.NONE else fits.to_list() for name, fits in found.items()
        }


@pytest.mark.parametrize("source", SAMPLED)
def test_a_sample_is_recognised_as_its_source(source: str, told: dict[str, list[bool]]) -> None:
    first = sum(len(lines(before, telling=True)) for before in SAMPLED[: SAMPLED.index(source)])
    for place, line in enumerate(lines(source, telling=True), first):
        shares = {name: float(fits[place]) for name, fits in told.items()}
        assert recognise._possible(pl.Series([line]), DEFINITIONS.only([source])), line
        found = recognise.verdict(shares, DEFINITIONS) or recognise.verdict(shares, DEFINITIONS, source)
        assert found is not None, line
        assert found.source == source, line
