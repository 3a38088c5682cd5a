"""The stream's consumer: batches from Kafka into the feed, and poison messages into the dead-letter topic."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from . import stream
from .errors import UnrecoverableError
from .likes import Feed, Received, StoreIsBehindError
from .metrics import DEAD_LETTERS, LAG, LATENCY, MESSAGES, REBALANCES, UNFETCHABLE
from .outbox import Outbox
from .store import UNAVAILABLE, is_collision
from .stream import DEAD_LETTER_TOPIC, STREAM, Record, Settings, Topic

T = TypeVar("T")

log = logging.getLogger("feed")

BATCH = 1000
MAX_BATCH = 5 * BATCH
"""So many messages at most go into one transaction, where so many wait: a transaction has a price of its own."""

CHECK_INTERVAL = 5
"""Seconds between two looks at the topic's id, while nothing comes, and at the offsets in the store."""
MAX_SILENCE = 30
"""Seconds after which a loop that has not turned hangs."""


class Consumer:
    """One member of the consumer group `feed`. It reads from the offsets in the store, not from those of the group."""

    def __init__(self, kafka: Settings, feed: Feed, outbox: Outbox, *, skip_lost: bool = False) -> None:
        self._kafka, self._feed, self._outbox, self._skip_lost = kafka, feed, outbox, skip_lost
        self._topic = Topic(kafka)
        self._partitions: dict[int, str] = {}
        self._stored: dict[str, int] = {}
        """Offsets, by partition, before which everything is in the store."""
        self._unfetchable: set[int] = set()
        self._stopping: Callable[[], bool] = lambda: False
        self._in_group = False
        self._cooperative = stream.is_cooperative(kafka)
        self._problem: str | None = None
        self._next_check, self._last_turn = 0.0, time.monotonic()
        writing = {"enable.idempotence": True, "message.timeout.ms": 0, "log_level": 3}  # 0: a broker is waited for
        self._producer = stream.make_client(Producer, {**kafka, **writing})
        reading = {
            "session.timeout.ms": 6_000,  # the least that a broker allows, unless told otherwise
            "heartbeat.interval.ms": 500,
            "topic.metadata.refresh.interval.ms": 5_000,
            "queued.max.messages.kbytes": 32_768,  # so much is fetched ahead, however much waits
            **kafka,
            "error_cb": self._on_error,
            "group.id": "feed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
        }
        self._consumer = stream.make_client(KafkaConsumer, reading)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Read until told to stop, and then finish the batch in flight.

        Raises UnusableError for what is set up wrong, and UnrecoverableError and KafkaException where it cannot go on.
        """
        self._stopping = stopping
        try:
            self._retry_until_available(self._feed.store.prepare)
            self._outbox.check()
            self._topic.check(stopping)
            measuring = threading.Thread(target=self._topic.measure_dead_letters, args=(stopping,), daemon=True)
            measuring.start()
            self._consumer.subscribe([STREAM], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
            while not stopping():
                self.step()
        except (*UNAVAILABLE, KafkaException):  # it waited for what is away when it was told to stop
            if not stopping():
                raise

    def close(self) -> None:
        """Leave the group. Its partitions, and their pushes, belong to others from now on."""
        self._consumer.close()

    def step(self) -> None:
        """Take in what has arrived, or wait a moment for something."""
        self._last_turn = time.monotonic()
        self._outbox.raise_error()
        first = self._consumer.poll(0.2)
        records = [] if first is None else [first, *self._consumer.consume(MAX_BATCH - 1, 0)]
        is_due = time.monotonic() > self._next_check
        try:
            if (records or is_due) and self._partitions and not self._is_same_topic():
                self._continue_at_stored_offsets()
                return
            if is_due:
                self._next_check = time.monotonic() + CHECK_INTERVAL
                self._check_stored_offsets()
            batch, oldest = self._read(records)
            if batch:
                self._handle_batch(batch)
                self._outbox.wake()
                self._report_progress(batch, oldest)
            if self._unfetchable:
                self._pass_over_unfetchable_records()
        except StoreIsBehindError:
            log.warning("the database lost what it had stored last, as after a failover: reading it again")
            self._continue_at_stored_offsets()

    def problem(self) -> str | None:
        """Return what keeps the service from its work, in a few words; None if nothing does."""
        if (silence := self.silence()) > MAX_SILENCE:
            return f"the service hangs: it has read nothing for {silence:.0f} s"
        if not self._in_group:
            return self._problem or "waiting for its partitions"
        return self._problem or self._topic.problem or self._outbox.problem

    def silence(self) -> float:
        """Return for how many seconds the loop that reads has not turned."""
        return time.monotonic() - self._last_turn

    def _retry_until_available(self, do: Callable[[], T]) -> T:
        """Run it, and run it again until the database and the broker are available: no message is dropped."""
        while True:
            self._last_turn = time.monotonic()
            try:
                done = do()
            except (*UNAVAILABLE, KafkaException) as error:
                if is_collision(error):
                    continue
                self._problem = f"waiting: {str(getattr(error, 'orig', error)).strip()}"
                log.warning("%s; retrying in 1 s", self._problem)
                self._feed.store.close()  # after a failover, a connection may still lead to the old server
                if self._stopping():
                    raise
                time.sleep(1)
            else:
                self._problem = None
                return done

    def _handle_batch(self, batch: Sequence[Received]) -> None:
        """Store a batch. Raises StoreIsBehindError where the one before it is no longer stored."""
        self._retry_until_available(lambda: self._feed.handle_batch(batch, self._stored))
        self._stored |= {received.partition: received.offset + 1 for received in batch}

    def _check_stored_offsets(self) -> None:
        """Raise StoreIsBehindError if the database failed over to a replica that had not received everything."""
        known = self._retry_until_available(self._feed.store.known_offsets)
        if any(known.get(name, 0) < self._stored[name] for name in self._partitions.values()):
            raise StoreIsBehindError

    def _is_same_topic(self) -> bool:
        """Ask Kafka whether what was read is of the topic that was assigned: after the reading, so that it is true."""
        topic = self._retry_until_available(self._topic.id)
        return all(name.startswith(f"{topic}/") for name in self._partitions.values())

    def _on_error(self, error: KafkaError) -> None:
        """Take note of a response that is too large: the error does not say for which partition it is."""
        if error.code() == KafkaError._BAD_MSG:  # noqa: SLF001 - as below
            self._unfetchable |= self._partitions.keys()

    def _pass_over_unfetchable_records(self) -> None:
        """Continue behind records that cannot be fetched, in each partition for which an error was reported."""
        for number in self._unfetchable & self._partitions.keys():
            name = self._partitions[number]
            offset = self._retry_until_available(self._feed.store.known_offsets)[name]
            place, deadline = TopicPartition(STREAM, number, offset), time.monotonic() + MAX_SILENCE / 2
            enough = lambda: self._stopping() or time.monotonic() > deadline  # noqa: B023, E731 - the rest is found again
            end, reason = self._retry_until_available(lambda: stream.first_fetchable(self._kafka, place, enough))  # noqa: B023
            if end > offset:
                log.error("%s/%d: passed over offsets %d to %d: %s", STREAM, number, offset, end - 1, reason)
                UNFETCHABLE.inc(end - offset)
                self._handle_batch([Received(name, end - 1, None)])
        self._unfetchable.clear()
        self._continue_at_stored_offsets()

    def _read(self, records: Sequence[Record]) -> tuple[list[Received], datetime | None]:
        """Decode records, and send those that cannot be decoded to the dead-letter topic.

        Return the batch, and the time of its oldest message.
        """
        batch, oldest, dead = [], None, 0
        for record in records:
            error = record.error()
            if error is not None:
                self._raise_if_fatal(error, record)
                continue
            if record.partition() in self._unfetchable:  # it comes again
                continue
            name = self._partitions.get(record.partition())
            if name is None:  # revoked while it was read: its new owner reads it
                continue
            try:
                envelope = stream.envelope_of(record)
            except stream.UnreadableRecordError as reason:
                self._send_to_dead_letter_topic(record, reason)
                batch.append(Received(name, record.offset(), None))
                dead += 1
                continue
            batch.append(Received(name, record.offset(), envelope.data))
            if oldest is None or (envelope.time is not None and envelope.time < oldest):
                oldest = envelope.time
        if dead:
            self._retry_until_available(self._flush_dead_letters)
        DEAD_LETTERS.inc(dead)
        return batch, oldest

    def _flush_dead_letters(self) -> None:
        """Wait until dead letters are written. Raises KafkaException if that takes long, and UnrecoverableError."""
        if self._producer.flush(2):
            raise KafkaException(f"dead letters could not be written to {DEAD_LETTER_TOPIC} yet")

    def _send_to_dead_letter_topic(self, record: Record, reason: stream.UnreadableRecordError) -> None:
        """Write a record unchanged to the dead-letter topic: a missing value, key or header stays missing."""
        place = f"{STREAM}/{record.partition()}/{record.offset()}"
        log.warning("dead letter: %s: %s", place, reason)
        headers = [*stream.headers_of(record), ("dead-letter-place", place), ("dead-letter-reason", str(reason))]

        def check(error: object, _: Message | None = None) -> None:
            if error is not None:
                raise UnrecoverableError(f"the message at {place} could not be written to {DEAD_LETTER_TOPIC}: {error}")

        try:
            self._producer.produce(DEAD_LETTER_TOPIC, record.value(), record.key(), headers=headers, on_delivery=check)
        except KafkaException as error:
            check(error)

    def _report_progress(self, batch: Sequence[Received], oldest: datetime | None) -> None:
        """Update the metrics, and commit the stored offsets to Kafka for lag monitors."""
        subjects = ("unreadable" if each.message is None else each.message.__contract__.subject for each in batch)
        for subject, count in Counter(subjects).items():
            MESSAGES.labels(subject).inc(count)
        if oldest is not None:
            LATENCY.observe((datetime.now(UTC) - oldest).total_seconds())
        following = {received.partition: received.offset + 1 for received in batch}
        offsets = [
            TopicPartition(STREAM, number, following[name])
            for number, name in self._partitions.items()
            if name in following
        ]
        for offset in offsets:
            _, end = self._consumer.get_watermark_offsets(offset, cached=True)
            LAG.labels(offset.partition).set(max(0, end - offset.offset))
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def _assigned(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        """Read partitions that the group gave, from the offsets in the store."""
        REBALANCES.inc()
        self._assign(consumer, partitions)
        self._in_group = True
        log.info("ready: reading %s as a member of the group feed", STREAM)

    def _assign(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        topic = self._retry_until_available(self._topic.id)
        names = {each.partition: f"{topic}/{each.partition}" for each in partitions}
        offsets = self._retry_until_available(lambda: self._offsets(names))
        self._partitions |= names
        self._stored |= offsets
        waiting = self._retry_until_available(self._feed.store.waiting_partitions)
        former = {name for name in waiting if not name.startswith(f"{topic}/")}  # of the topic before it was made again
        self._outbox.partitions = {*self._partitions.values(), *former}
        assign = consumer.incremental_assign if self._cooperative else consumer.assign
        assign([TopicPartition(STREAM, number, offsets[name]) for number, name in names.items()])

    def _offsets(self, names: Mapping[int, str]) -> dict[str, int]:
        """Return the next offset of each partition: the oldest that there is if nothing was ever read of it."""
        known = self._feed.store.known_offsets()
        first = {}
        for number, name in names.items():
            if name not in known:
                first[name], _ = self._consumer.get_watermark_offsets(TopicPartition(STREAM, number), timeout=10)
                if first[name]:
                    log.warning(
                        "%s/%d is read for the first time, from the oldest offset, %d", STREAM, number, first[name]
                    )
        return self._feed.store.offsets(dict.fromkeys(names.values(), 0) | first)

    def _revoked(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        """Forget partitions that the group took: all of them, unless rebalances are cooperative."""
        if self._cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()
        for each in partitions:
            self._partitions.pop(each.partition, None)
        self._in_group = self._cooperative and bool(self._partitions)
        LAG.clear()
        self._outbox.partitions = set(self._partitions.values())

    def _continue_at_stored_offsets(self) -> None:
        """Read on from the offsets in the store, also in a topic that was made again."""
        partitions = self._consumer.assignment()
        if self._cooperative:
            self._consumer.incremental_unassign(partitions)
        self._assign(self._consumer, partitions)

    def _raise_if_fatal(self, error: KafkaError, record: Record) -> None:
        """Raise KafkaException for an error that is not transient."""
        if error.code() in stream.UNFETCHABLE_ERRORS or record.partition() in self._unfetchable:
            self._unfetchable.add(record.partition())
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as below
            self._recover_offset(record.partition())
        elif error.fatal() or not (error.retriable() or error.code() in TRANSIENT_ERRORS):
            raise KafkaException(error)
        else:
            log.warning("%s", error.str())

    def _recover_offset(self, number: int) -> None:
        """Continue in a topic that was created again; raise if messages were deleted before they were read."""
        name = self._partitions.get(number)
        if name is None:  # taken away meanwhile
            return
        if self._is_same_topic():
            first, end = self._consumer.get_watermark_offsets(TopicPartition(STREAM, number), timeout=10)
            at = self._feed.store.known_offsets()[name]
            is_lost = (
                not first <= at <= end
            )  # otherwise a damaged batch had the client ask for an offset that never was
            if is_lost and not self._skip_lost:
                raise UnrecoverableError(
                    f"partition {number} of {STREAM} no longer holds offset {at}, which is the next one to "
                    f"read: messages were deleted before they were read. Start with --skip-lost to continue at {first}"
                )
            if is_lost:
                log.warning("partition %d continues at offset %d; messages from %d on were lost", number, first, at)
                with self._feed.store.begin() as unit:
                    unit.advance({name: first})
        self._continue_at_stored_offsets()


TRANSIENT_ERRORS = (
    KafkaError._PARTITION_EOF,  # noqa: SLF001 - librdkafka's own codes begin with an underscore
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - the database was away for long; the group takes it in again
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
