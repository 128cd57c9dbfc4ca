"""Reading raw records from Kafka as one member of a consumer group.

The order of work that loses nothing: take a batch, store what came of it, `commit`. A crash in between means that the
batch comes again with the same origin and offsets, hence with the same names.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError
from kafka.structs import OffsetAndMetadata

from connectors.kafka.batch import Gathered, Record
from connectors.kafka.connection import RAW, Connection
from connectors.kafka.holding import PATIENCE, Holding
from connectors.kafka.position import Position
from connectors.kafka.writer import DeadLetters
from connectors.multiline import Means
from detectors.contracts import Batch, Clock

# The group has moved on without us: what we would commit is read again by whoever owns the partition now.
MOVED_ON = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much to gather before batches are handed over, looked at after every `records` taken from the client.

    What is in memory at once is therefore at most `bytes` and 100 records of at most a megabyte each.
    """

    lines: int = 50_000
    bytes: int = 32 * 1024 * 1024
    seconds: float = 1.0
    records: int = 100
    patience: float = PATIENCE  # seconds for which a record waits for lines that may go on with it


class KafkaSource:
    """A Source. `sources` names what to read; none stands for every topic `soc.raw.…`, also those still to come.

    Not for two threads. With `bounded` it ends where the partitions ended when they were assigned, when no record that
    began there waits for more lines; `seconds` ends it by the clock, whichever comes first. Without either it reads for
    ever. `means` tells what records of several lines look like: they are whole in its batches, unless nothing came to
    one for some seconds.
    """

    def __init__(
        self,
        connection: Connection,
        sources: Sequence[str],
        *,
        group: str,
        dead: DeadLetters,
        means: Means = lambda _: (None, None),
        limits: Limits | None = None,
        bounded: bool = False,
        seconds: float | None = None,
    ) -> None:
        self._connection = connection
        self._dead = dead
        self._limits = limits or Limits()
        self._holding = Holding[TopicPartition](means, self._limits.patience)
        self._bounded = bounded
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._members = Membership()
        self._settled = -1  # the deal of partitions whose positions were restored
        self._targets: dict[TopicPartition, int] = {}
        self._heard = time.monotonic()  # when a broker last gave a sign of life
        with connection.reaching("be reached"):
            self._consumer = KafkaConsumer(
                **connection.options(),
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_bytes=8 * 1024 * 1024,  # compressed; the client keeps one answer per broker in memory
                allow_auto_create_topics=False,  # a mistyped name makes no topic
                metadata_max_age_ms=30_000,  # new topics are seen within this time
            )
            self._subscribe(sources)

    def _subscribe(self, sources: Sequence[str]) -> None:
        if sources:
            self._consumer.subscribe(topics=[RAW + source for source in sources], listener=self._members)
        else:
            self._consumer.subscribe(pattern="^" + RAW.replace(".", r"\."), listener=self._members)

    def batches(self) -> Iterator[Batch]:
        """Yield one batch per partition as records come; a batch counts for `commit` from the moment it is yielded.

        May be called again, also after an error: it then begins at the group's stored positions.
        """
        self._settled = -1
        self._settle()
        while not self._finished():
            gathered = self._gather()
            epoch = self._members.epoch
            for partition in {*gathered, *self._holding.partitions}:
                if self._members.epoch != epoch:  # dealt anew during a heartbeat: what is left will be read again
                    break
                batch = self._holding.batch(partition, gathered.get(partition))
                self._members.pending[partition] = self._holding.position(partition)
                if batch is not None:
                    yield batch

    def commit(self) -> None:
        """Store the positions after everything yielded so far.

        When the partitions were dealt anew meanwhile, or the group has moved on without us, nothing is stored: the
        records come again, and their names make that harmless.
        """
        self._dead.flush()
        pending = self._members.pending.copy()
        offsets = {
            partition: OffsetAndMetadata(position.offset, position.metadata, -1)
            for partition, position in pending.items()
        }
        if not offsets:
            return
        with self._connection.reaching("store the group's position"):
            try:
                self._consumer.commit(offsets, timeout_ms=self._connection.milliseconds)
            except MOVED_ON:
                self._members.pending.clear()
                return
        for partition, position in pending.items():
            if self._members.pending.get(partition) == position:
                del self._members.pending[partition]

    def heartbeat(self) -> None:
        """Stay in the group while a sink is down: call it every few seconds from the waiting loop.

        The client's own thread keeps the session, but the group expels a member that hasn't polled for five minutes.
        This polls with all partitions paused, so no record is taken.
        """
        self._consumer.pause(*self._consumer.assignment())
        try:
            with self._connection.reaching("keep us in the group"):
                if self._consumer.poll(timeout_ms=100):  # of partitions that were dealt to us during this very poll
                    self._settled = -1
        finally:
            self._consumer.resume(*self._consumer.assignment())

    def lag(self) -> int:
        """Count the records between our position and the end of our partitions, asking the brokers."""
        ends = self._ends(self._consumer.assignment())
        return sum(max(0, end - self._position(partition)) for partition, end in ends.items())

    def caught_up(self) -> bool:
        """Say whether everything that stood in our partitions when they were assigned has been taken."""
        if not self._members.assigned:
            return False
        mine = self._consumer.assignment()
        new = mine - self._targets.keys()
        if new:
            self._targets.update(self._ends(new))
        return all(self._position(partition) >= self._targets[partition] for partition in mine)

    def ends(self) -> dict[Clock, bool]:
        """Say of all partitions of the topics that ever held anything whether the group has stored all of it.

        Also of those that other members read, or nobody does.
        """
        topics = self._consumer.subscription() or ()
        with self._connection.reaching("tell its partitions"):
            partitions = [
                TopicPartition(topic, number)
                for topic in sorted(topics)
                for number in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
        found: dict[Clock, bool] = {}
        for partition, end in self._ends(partitions).items() if partitions else ():
            if end > 0:
                with self._connection.reaching("tell the group's position"):
                    stored = self._consumer.committed(partition, timeout_ms=self._connection.milliseconds)
                clock = Gathered(partition.topic, partition.partition)
                found[clock.source, clock.origin] = (stored or 0) >= end
        return found

    def close(self) -> None:
        """Leave the group; what isn't committed comes again to the next member."""
        self._consumer.close(autocommit=False, timeout_ms=5_000)

    def _finished(self) -> bool:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return True
        return self._bounded and self.caught_up() and not self._holding.waits_before(self._targets)

    def _gather(self) -> Mapping[TopicPartition, Gathered]:
        gathered: dict[TopicPartition, Gathered] = {}
        until = time.monotonic() + self._limits.seconds
        while (left := until - time.monotonic()) > 0:
            taken = self._poll(left)
            if self._settle():
                gathered.clear()
                continue
            for partition, records in taken.items():
                if partition not in gathered:
                    known = self._holding.names(partition)
                    gathered[partition] = Gathered(partition.topic, partition.partition, known)
                for record in records:
                    gathered[partition].add(record, self._dead)
            if self._full(gathered.values()) or (self._bounded and self.caught_up()):
                break
        return gathered

    def _full(self, gathered: Collection[Gathered]) -> bool:
        size = sum(held.size for held in gathered)
        return size >= self._limits.bytes or sum(len(held.lines) for held in gathered) >= self._limits.lines

    def _settle(self) -> bool:
        """After the partitions were dealt anew, go back to the group's stored positions; say whether that was so.

        The client keeps its own position in a partition that stays ours, which may be past records that were gathered
        and never yielded, or yielded and no longer to be committed.
        """
        epoch = self._members.epoch
        if epoch == self._settled:
            return False
        with self._connection.reaching("tell the group's position"):
            self._holding.clear()
            for partition in self._consumer.assignment():
                stored = self._consumer.committed(partition, metadata=True, timeout_ms=self._connection.milliseconds)
                if stored is None:
                    self._consumer.seek_to_beginning(partition)
                else:
                    self._consumer.seek(partition, stored.offset)
                    self._holding.resume(partition, Position.read(stored.offset, stored.metadata))
        self._settled = epoch
        return True

    def _poll(self, seconds: float) -> Mapping[TopicPartition, list[Record]]:
        with self._connection.reaching("be read"):
            taken: dict[TopicPartition, list[Record]] = self._consumer.poll(
                timeout_ms=int(seconds * 1000), max_records=self._limits.records
            )
        now = time.monotonic()
        if taken:
            self._heard = now
        elif now - self._heard > self._connection.patience:
            self._ends(self._consumer.assignment())  # an empty poll doesn't tell silence from a dead broker; this does
            self._heard = now
        return taken

    def _ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        with self._connection.reaching("tell where its partitions end"):
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(list(partitions))
        return ends

    def _position(self, partition: TopicPartition) -> int:
        with self._connection.reaching("tell the group's position"):
            return self._consumer.position(partition, timeout_ms=self._connection.milliseconds) or 0


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """What the client's own thread tells about our part in the group.

    `epoch` counts the deals of partitions; `pending` holds the positions to commit, of this deal only.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.assigned = False
        self.pending: dict[TopicPartition, Position] = {}

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002  # the client's signature
        self._dealt(assigned=False)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # noqa: ARG002  # the client's signature
        self._dealt(assigned=True)

    def _dealt(self, *, assigned: bool) -> None:
        self.pending.clear()
        self.assigned = assigned
        self.epoch += 1
