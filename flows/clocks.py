"""Whether the clocks of those who write logs are right, by when their events came.

    events of fortigate from 10.1.2.3 are dated 7 h ahead of when they came (203 of 203): their zone is another

An offset of whole half hours is a zone: the device's, or that of the definition. Another that stays the same is a clock
that is wrong. What comes late now and then is neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from detectors.contracts import Batch

CAME: Final = "event.created"
SENDER: Final = "log.source.address"
FEW: Final = 20  # events of a sender that tell nothing yet
HALF: Final = 1800  # seconds; zones differ by half hours, but for a few
ZONES: Final = 28  # half hours by which a zone can be off
NEAR: Final = 120  # seconds that an event may take to come
WRONG: Final = 300  # seconds by which a clock may be off
STEADY: Final = 60  # seconds by which an offset that is a clock's may vary
SHARE: Final = 0.9  # of a sender's events that must say so
RUNS: Final = 5  # seconds over which events must have come to show that their clock runs as fast as ours
PACE: Final = 4  # how many times longer that must be than what their offset varies by
AHEAD: Final = timedelta(days=1)  # what time may be beyond the day on which it came: zones


@dataclass(frozen=True, slots=True)
class Skew:
    """By how much the times of a sender's events (None: of all that tell no sender) are ahead of when they came."""

    sender: str | None
    events: int
    seconds: int
    zone: bool  # it is another zone
    span: int = 0  # seconds between the first and the last that came
    varies: int = 0  # seconds by which the offset does, but for outliers

    @property
    def sure(self) -> bool:
        """Say whether it can't be a log that was read late: that is dated behind, and was not written as it came."""
        return self.seconds > 0 or self.span >= max(RUNS, PACE * self.varies)

    def words(self) -> str:
        """Return the offset as people say it: +7 h, -3 d 4 h."""
        return ("+" if self.seconds > 0 else "-") + span(self.seconds)

    def sentence(self, source: str) -> str:
        """Return what is wrong, and what to do about it."""
        whose = f" from {self.sender}" if self.sender else ""
        way = "ahead of" if self.seconds > 0 else "behind"
        told = f"events of {source}{whose} are dated {self.words()[1:]} {way} when they came: "
        if self.zone:
            return told + (
                "their zone is another; write `zone:` into the definition of the source, or into one that is `like` it "
                "for this sender"
            )
        return told + "the clock there is wrong; let it follow NTP"


def span(seconds: int, units: tuple[str, str, str] = ("d", "h", "min")) -> str:
    """Return how long it is, as people say it: 3 d 4 h."""
    days, minutes = divmod(round(abs(seconds) / 60), 1440)
    parts = zip((days, minutes // 60, minutes % 60), units, strict=True)
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def skews(events: pl.DataFrame) -> Iterator[Skew]:
    """Yield the senders whose clocks are off, of events with their times, when they came, and who sent them."""
    off = (pl.col("@timestamp") - pl.col(CAME)).dt.total_seconds()
    sender = pl.col(SENDER) if SENDER in events.columns else pl.lit(None, pl.String)
    known = events.select(off.alias("off"), sender.alias("sender"), pl.col(CAME).alias("came")).drop_nulls("off")
    middle = pl.col("off").median()
    zone = (middle / HALF).round() * HALF
    told = known.group_by("sender", maintain_order=True).agg(
        pl.len().alias("events"),
        middle.alias("middle"),
        zone.alias("zone"),
        ((pl.col("off") - zone).abs() <= NEAR).mean().alias("near"),
        (pl.col("off").quantile(0.9) - pl.col("off").quantile(0.1)).alias("varies"),
        (pl.col("came").max() - pl.col("came").min()).dt.total_seconds().alias("runs"),
    )
    for sender, count, seconds, offset, near, varies, runs in told.filter(pl.col("events") >= FEW).iter_rows():
        if offset and abs(offset) <= ZONES * HALF and near >= SHARE:
            yield Skew(sender, count, int(offset), True, runs, int(varies))
        elif abs(seconds) > WRONG and varies <= STEADY:
            yield Skew(sender, count, int(seconds), False, runs, int(varies))


class Clocks:
    """Tells once of each source and sender whose times can't be right."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str | None]] = set()

    def take(self, batch: Batch, events: pl.DataFrame) -> Iterator[str]:
        """Yield what is to be said of a batch."""
        source, times = batch.source, events["@timestamp"]
        if (lacking := times.null_count()) and self._first(source, "none"):
            yield (
                f"of {events.height:,} events of {source} {lacking:,} came without a time that can be read: "
                "`soc parse` shows them"
            )
        latest = times.max()
        if isinstance(latest, datetime) and latest > _limit(batch) and self._first(source, "ahead"):
            yield (
                f"events of {source} are dated {latest:%Y-%m-%d %H:%M} UTC, which is still to come: correlations take "
                "no notice of that time passing; see the clock of whoever writes them, and the zone of the source"
            )
        if CAME in events.columns:
            yield from (one.sentence(source) for one in skews(events) if self._first(source, f"from {one.sender}"))

    def _first(self, source: str, what: str) -> bool:
        first = (source, what) not in self._told
        self._told.add((source, what))
        return first


def _limit(batch: Batch) -> datetime:
    """Return what times can't be beyond: the end of the day on which the last of them came."""
    if batch.received is None:
        return datetime.now(UTC) + AHEAD
    day = batch.received
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) + AHEAD
