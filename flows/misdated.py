"""The finding that a clock or a zone is wrong: one of a source, a sender and a day (UTC) on which its events came.

    events of fortigate from 10.1.2.3 came on 9 March, dated 7 h ahead ─► one finding, whose window is 9 March

Only where a collector, or Kafka, told when events came. The times of a sender's first and last events of a day are held
until there are enough of them, so it doesn't matter in which batches and runs they are read; and what was read late,
all at once, is no clock that is behind. One time that is still to come is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import polars as pl
import yaml

from connectors.archive import PLACED, POSITION
from connectors.parser import DefinedParser
from detectors.contracts import Batch, Hits
from detectors.findings import Detection, Found, assemble
from detectors.maintenance import Calendar
from detectors.meta import DAY, Meta
from detectors.schema import MATCH, ORGANISATION, ORIGIN, PLACE, RECORD, TIME
from flows.clocks import AHEAD, CAME, FEW, SENDER, WRONG, Skew, skews, span
from flows.sifting import read_again

RULE: Final = "clock"
VERSION: Final = "1"  # of what is told
HOUR: Final = 3600
HELD: Final = 20_000  # events of a source whose times are held; 500 senders
EVENTS: Final = 50  # of a finding that are counted
KEY: Final = (SENDER, "day")
_PLACES: Final = ((name, kind) for name, kind in [*PLACE.items(), *RECORD.items()] if name in PLACED)
TIMES: Final = pl.Schema([("@timestamp", TIME), (CAME, TIME), (SENDER, pl.String), ("day", TIME), *_PLACES])
NAMED: Final = frozenset((*RECORD, *ORIGIN, *ORGANISATION, "soc.origin", "soc.label", "host.name"))  # in a finding


@dataclass(frozen=True, slots=True)
class Wrong:
    """A sender whose events of a day are misdated."""

    sender: str | None
    day: datetime
    seconds: int  # by which they are ahead of when they came
    kind: str  # zone, clock, coming

    @property
    def level(self) -> str:
        return "medium" if abs(self.seconds) >= HOUR else "low"


class Misdated:
    """Finds the senders whose clocks or zones are wrong; each is told once a day."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take a folder where times are held between runs."""
        self._folder = folder
        self._held: dict[str, pl.DataFrame] = {}  # by source: TIMES
        self._told: dict[str, pl.DataFrame] = {}  # by source: KEY

    def take(self, batch: Batch, events: pl.DataFrame, parser: DefinedParser, calendar: Calendar) -> Iterator[Found]:
        """Yield what is found of a batch; when the next is asked for, it is stored."""
        if CAME not in batch.records.columns or "@timestamp" in batch.records.columns:
            return  # nobody knows when it came, or it was looked at then: it comes from the archive
        rows = _received(batch, events)
        odd = rows.filter((pl.col("@timestamp") - pl.col(CAME)).abs() > timedelta(seconds=WRONG))
        told = self._told.get(batch.source, _keys([]).drop("rule"))
        odd = odd.join(told, on=KEY, how="anti", nulls_equal=True)
        if odd.is_empty():
            return
        wrong = [*{(one.sender, one.day): one for one in self._wrong(batch, rows, odd)}.values()]
        if wrong:
            yield _found(batch, odd, wrong, parser, calendar)
            self._told[batch.source] = pl.concat([told, _keys(wrong).drop("rule")]).tail(HELD)

    def keep(self) -> None:
        """Hold times for the next run; those of earlier days than the last two are let go."""
        if self._folder is None or not self._held:
            return
        with suppress(OSError):  # the disk is full: what was found is stored all the same
            self._folder.mkdir(parents=True, exist_ok=True)
            for source, held in self._held.items():
                path = _file(self._folder, source)
                fresh = path.with_name(f".{path.name}.new")
                held.filter(pl.col("day") >= pl.col("day").max() - timedelta(days=1)).write_parquet(fresh)
                fresh.replace(path)

    def _wrong(self, batch: Batch, rows: pl.DataFrame, odd: pl.DataFrame) -> Iterator[Wrong]:
        """Yield the senders of a batch of whom is known enough; a sender comes twice where two things are wrong."""
        coming = odd.filter(pl.col("@timestamp") >= pl.col("day") + timedelta(days=1) + AHEAD)
        latest = coming.group_by(KEY, maintain_order=True).agg((pl.col("@timestamp") - pl.col(CAME)).max().alias("off"))
        for sender, day, off in latest.iter_rows():
            yield Wrong(sender, day, int(off.total_seconds()), "coming")
        mine = rows.join(odd.select(KEY).unique(), on=KEY, how="semi", nulls_equal=True)
        for (day,), known in self._hold(batch, mine).partition_by("day", as_dict=True, maintain_order=True).items():
            yield from (_wrong(one, day) for one in skews(known) if one.sure)

    def _hold(self, batch: Batch, mine: pl.DataFrame) -> pl.DataFrame:
        """Hold times, each event once; return what is known of the senders of these."""
        there = self._held[batch.source] if batch.source in self._held else _kept(self._folder, batch.source)
        known = pl.concat([there, mine.select(TIMES.names())]).unique(PLACED, keep="first").sort(CAME, *PLACED)
        place, count = pl.int_range(pl.len()).over(KEY), pl.len().over(KEY)
        kept = known.filter((place < FEW) | (place >= count - FEW))
        self._held[batch.source] = kept.tail(HELD)
        return kept.join(mine.select(KEY).unique(), on=KEY, how="semi", nulls_equal=True, maintain_order="left")


def _file(folder: Path, source: str) -> Path:
    return folder / f"{quote(source, safe='')}.parquet"


def _kept(folder: Path | None, source: str) -> pl.DataFrame:
    """Return the times that an earlier run held; a damaged file costs what it holds, and is written anew."""
    try:
        return TIMES.to_frame() if folder is None else pl.read_parquet(_file(folder, source)).cast(TIMES)
    except (OSError, pl.exceptions.PolarsError):
        return TIMES.to_frame()


def _wrong(one: Skew, day: datetime) -> Wrong:
    return Wrong(one.sender, day, one.seconds, "zone" if one.zone else "clock")


def _keys(wrong: Sequence[Wrong]) -> pl.DataFrame:
    """Return their KEY, and the number of each as that of its rule."""
    rows = [(one.sender, one.day, number) for number, one in enumerate(wrong)]
    return pl.DataFrame(rows, schema={SENDER: pl.String, "day": TIME, "rule": pl.Int32}, orient="row")


def _received(batch: Batch, events: pl.DataFrame) -> pl.DataFrame:
    """Return events with what who received them tells of each, whatever they say themselves, and the day they came."""
    told = batch.records.select(*POSITION, *(name for name in ORIGIN if name in batch.records.columns))
    rows = events.select("@timestamp", *RECORD)
    if all(rows[name].equals(told[name]) for name in POSITION):  # at once, where no record is dead
        rows = rows.hstack(told.drop(POSITION))
    else:
        told = told.unique(POSITION, keep="first")
        rows = rows.join(told, on=POSITION, how="left", nulls_equal=True, maintain_order="left")
    sender = pl.col(SENDER) if SENDER in rows.columns else pl.lit(None, pl.String).alias(SENDER)
    return batch.placed(rows).with_columns(sender, pl.col(CAME).dt.truncate("1d").alias("day"))


def _found(batch: Batch, odd: pl.DataFrame, wrong: Sequence[Wrong], parser: DefinedParser, calendar: Calendar) -> Found:
    """Return the findings; their windows are by when events came, and their evidence has the times of the events."""
    rows = odd.join(_keys(wrong), on=KEY, nulls_equal=True, maintain_order="left").sort(CAME, *POSITION)
    rows = rows.filter(pl.int_range(pl.len()).over("rule") < EVENTS).sort("rule", maintain_order=True)
    read = read_again(replace(batch, records=rows), parser, rows, None)
    whole = read.with_columns(rows[CAME], rows[SENDER])
    arrived = whole.select(name for name in whole.columns if name in NAMED)
    arrived = arrived.with_columns(rows[CAME].alias("@timestamp"), pl.lit(batch.source).alias("soc.source"))
    hits = Hits(rows["rule"].to_numpy(), np.arange(rows.height))
    detections = [_detection(batch.source, one) for one in wrong]
    silenced = calendar.silenced(arrived, hits, detections)
    parts = assemble(batch, arrived, hits, detections, (), whole=lambda shown: whole[shown], silenced=silenced)
    findings = [part.findings for part in parts]
    return Found(MATCH.to_frame(), pl.concat(findings))  # the first events stand in the evidence, others change nothing


def _detection(source: str, one: Wrong) -> Detection:
    words = _words()
    told = words["message"][one.kind]["ahead" if one.seconds > 0 else "behind"]
    en, vi = (
        text
        % {
            "source": source,
            "whose": words["whose"][lang] if one.sender else "",
            "span": span(one.seconds, words["units"][lang]),
        }
        for lang, text in told.items()
    )
    meta = Meta(
        RULE,
        words["title"]["en"],
        level=one.level,
        status="stable",
        description=words["description"],
        falsepositives=tuple(words["harmless"]["en"]),
        falsepositives_vi=tuple(words["harmless"]["vi"]),
        runbook="\n\n".join(f"[{lang}] {text.strip()}" for lang, text in words["runbook"].items()),
        title_vi=words["title"]["vi"],
        message=en,
        message_vi=vi,
        group_by=("soc.source", SENDER),
        window=DAY,
        asks=("again", "announced_work", "same_on_other_hosts"),
    )
    return Detection(meta, VERSION, provider="soc")


@cache
def _words() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("misdated.yml").read_text("utf-8"))
    return read
