"""The stream's consumer: batches from Kafka into the feed, and poison messages into the dead-letter topic."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from .likes import Feed, Received
from .metrics import DEAD_LETTERS, LAG, LATENCY, MESSAGES, REBALANCES
from .outbox import Outbox
from .store import UNAVAILABLE
from .stream import STREAM, Record, Settings, Topic, UnreadableRecordError, envelope_of, headers_of

T = TypeVar("T")

log = logging.getLogger("feed")

DEAD_LETTER_TOPIC = f"{STREAM}.dead-letter"
BATCH = 1000
MAX_BATCH = 5 * BATCH
"""So many messages at most go into one transaction, where so many wait: a transaction has a price of its own."""

TOPIC_CHECK_INTERVAL = 5
"""Seconds between two looks at the topic's id while nothing comes."""


class UnrecoverableError(Exception):
    """A dead letter could not be written, or the next message of the stream was deleted before it was read."""


class Consumer:
    """One member of the consumer group `feed`. It reads from the offsets in the store, not from those of the group."""

    def __init__(self, kafka: Settings, feed: Feed, outbox: Outbox, *, skip_lost: bool = False) -> None:
        self._topic, self._feed, self._outbox, self._skip_lost = Topic(kafka), feed, outbox, skip_lost
        self._partitions: dict[int, str] = {}
        self._former_partitions: set[str] = set()
        self._stopping: Callable[[], bool] = lambda: False
        self._in_group = self._more_to_send = False
        self._problem: str | None = None
        self._next_topic_check = 0.0
        self._producer = Producer({**kafka, "enable.idempotence": True, "message.timeout.ms": 30_000, "log_level": 3})
        self._consumer = KafkaConsumer(
            {
                "session.timeout.ms": 6_000,  # the least that a broker allows, unless told otherwise
                "heartbeat.interval.ms": 500,
                "topic.metadata.refresh.interval.ms": 5_000,
                "queued.max.messages.kbytes": 32_768,  # so much is fetched ahead, however much waits
                **kafka,
                "group.id": "feed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
            }
        )

    def run(self, stopping: Callable[[], bool]) -> None:
        """Read until told to stop, and then finish the batch in flight.

        Raises UnrecoverableError, and KafkaException where reading cannot go on.
        """
        self._stopping = stopping
        with suppress(KafkaException):  # a broker that makes topics on first use makes it now; one that is away comes
            self._producer.list_topics(STREAM, timeout=5)
        self._consumer.subscribe([STREAM], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not stopping():
                self.step()
        except (*UNAVAILABLE, KafkaException):  # it waited for what is away when it was told to stop
            if not stopping():
                raise
        finally:
            self._consumer.close()

    def step(self) -> None:
        """Take in what has arrived, or wait a moment for something."""
        first = self._consumer.poll(0 if self._more_to_send else 0.2)
        records = [] if first is None else [first, *self._consumer.consume(MAX_BATCH - 1, 0)]
        if (records or time.monotonic() > self._next_topic_check) and self._partitions and not self._is_same_topic():
            self._assigned(self._consumer, self._consumer.assignment())
            return
        batch, oldest = self._read(records)
        if batch:
            self._retry_until_available(lambda: self._feed.handle_batch(batch))
            self._report_progress(batch, oldest)
        self._more_to_send = self._retry_until_available(
            lambda: self._outbox.send({*self._partitions.values(), *self._former_partitions})
        )

    def problem(self) -> str | None:
        """Return what keeps messages from being read, in a few words; None if nothing does."""
        return self._problem or (self._outbox.problem if self._in_group else "waiting for its partitions")

    def _retry_until_available(self, do: Callable[[], T]) -> T:
        """Run it, and run it again until the database and the broker are available: no message is dropped."""
        while True:
            try:
                done = do()
            except (*UNAVAILABLE, KafkaException) as error:
                if getattr(getattr(error, "orig", None), "sqlstate", None) in COLLISIONS:
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

    def _is_same_topic(self) -> bool:
        """Ask Kafka whether what was read is of the topic that was assigned: after the reading, so that it is true."""
        self._next_topic_check = time.monotonic() + TOPIC_CHECK_INTERVAL
        topic = self._retry_until_available(self._topic.id)
        return all(name.startswith(f"{topic}/") for name in self._partitions.values())

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
            name = self._partitions.get(record.partition())
            if name is None:  # revoked while it was read: its new owner reads it
                continue
            try:
                envelope = envelope_of(record)
            except UnreadableRecordError as reason:
                self._send_to_dead_letter_topic(record, reason)
                batch.append(Received(name, record.offset(), None))
                dead += 1
                continue
            batch.append(Received(name, record.offset(), envelope.data))
            if oldest is None or (envelope.time is not None and envelope.time < oldest):
                oldest = envelope.time
        if dead and self._producer.flush(30):
            raise UnrecoverableError(f"{dead} dead letters could not be written to {DEAD_LETTER_TOPIC} within 30 s")
        DEAD_LETTERS.inc(dead)
        return batch, oldest

    def _send_to_dead_letter_topic(self, record: Record, reason: UnreadableRecordError) -> None:
        """Write a record unchanged to the dead-letter topic: a missing value, key or header stays missing."""
        place = f"{STREAM}/{record.partition()}/{record.offset()}"
        log.warning("dead letter: %s: %s", place, reason)
        headers = [*headers_of(record), ("dead-letter-place", place), ("dead-letter-reason", str(reason))]

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
        REBALANCES.inc()
        topic = self._retry_until_available(self._topic.id)
        self._partitions = {each.partition: f"{topic}/{each.partition}" for each in partitions}
        waiting = self._retry_until_available(self._feed.store.waiting_partitions)
        self._former_partitions = {
            name for name in waiting if not name.startswith(f"{topic}/")
        }  # of the topic before it was made again
        offsets = self._retry_until_available(lambda: self._feed.store.offsets(self._partitions.values()))
        consumer.assign([TopicPartition(STREAM, number, offsets[name]) for number, name in self._partitions.items()])
        self._in_group = True
        log.info("ready: reading %s as a member of the group feed", STREAM)

    def _revoked(self, consumer: KafkaConsumer, _: list[TopicPartition]) -> None:
        consumer.unassign()
        LAG.clear()
        self._partitions, self._in_group = {}, False

    def _raise_if_fatal(self, error: KafkaError, record: Record) -> None:
        """Raise KafkaException for an error that is not transient."""
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as below
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
            first, _ = self._consumer.get_watermark_offsets(TopicPartition(STREAM, number), timeout=10)
            at = self._feed.store.offsets({name})[name]
            if not self._skip_lost:
                raise UnrecoverableError(
                    f"partition {number} of {STREAM} no longer holds offset {at}, which is the next one to "
                    f"read: messages were deleted before they were read. Start with --skip-lost to continue at {first}"
                )
            log.warning("partition %d continues at offset %d; messages from offset %d on were lost", number, first, at)
            with self._feed.store.begin() as unit:
                unit.advance({name: first})
        self._assigned(self._consumer, self._consumer.assignment())


COLLISIONS = {"40001", "40P01"}
"""PostgreSQL's codes where two members changed the same rows: the later one starts again on what the first one left."""

TRANSIENT_ERRORS = (
    KafkaError._PARTITION_EOF,  # noqa: SLF001 - librdkafka's own codes begin with an underscore
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - the database was away for long; the group takes it in again
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
