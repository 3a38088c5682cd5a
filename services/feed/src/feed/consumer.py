"""The stream's reader: batches from Kafka into the feed, and what nobody can read into the dead letters."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from envelopes import DecodeError

from .feed import Feed, Received
from .metrics import DEAD_LETTERS, LAG, LATENCY, MESSAGES, REBALANCES
from .outbox import Outbox
from .stream import STREAM, Record, Settings, Topic, envelope_of

T = TypeVar("T")

log = logging.getLogger("feed")

DEAD_LETTER_TOPIC = f"{STREAM}.dead-letter"
BATCH = 1000
MOST = 5 * BATCH
"""So many messages at most go into one transaction, where so many wait: a transaction has a price of its own."""

LOOK_EVERY = 5
"""Seconds between two looks at the topic's id while nothing comes."""


class CannotGoOnError(Exception):
    """A dead letter could not be written, or what the store would take in next is gone from the stream."""


class Consumer:
    """One member of the group `feed`. Where it goes on is what the store says, not what the group says."""

    def __init__(self, kafka: Settings, feed: Feed, outbox: Outbox, *, skip_lost: bool = False) -> None:
        self._topic, self._feed, self._outbox, self._skip_lost = Topic(kafka), feed, outbox, skip_lost
        self._logs: dict[int, str] = {}
        self._left: set[str] = set()
        self._stopping: Callable[[], bool] = lambda: False
        self._in_group = False
        self._trouble: str | None = None
        self._look_again = 0.0
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
        """Read until told to stop, and then finish the batch in hand.

        Raises CannotGoOnError, and KafkaException where reading cannot go on.
        """
        self._stopping = stopping
        with suppress(KafkaException):  # a broker that makes topics on first use makes it now; one that is away comes
            self._producer.list_topics(STREAM, timeout=5)
        self._consumer.subscribe([STREAM], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not stopping():
                self.step()
        except (sa.exc.OperationalError, KafkaException):  # it waited for what is away when it was told to stop
            if not stopping():
                raise
        finally:
            self._consumer.close()

    def step(self) -> None:
        """Take in what has arrived, or wait a moment for something."""
        first = self._consumer.poll(0.2)
        records = [] if first is None else [first, *self._consumer.consume(MOST - 1, 0)]
        if (records or time.monotonic() > self._look_again) and self._logs and not self._is_same_topic():
            self._assigned(self._consumer, self._consumer.assignment())
            return
        batch, oldest = self._read(records)
        if batch:
            self._patiently(lambda: self._feed.handle_batch(batch))
            self._show_progress(batch, oldest)
        self._patiently(lambda: self._outbox.send({*self._logs.values(), *self._left}))

    def trouble(self) -> str | None:
        """Say in a few words what keeps messages from being taken in; None while all is well."""
        return self._trouble or (None if self._in_group else "waits for its partitions")

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do it, and where something is away do it again until it is back: what was read is never let go."""
        while True:
            try:
                done = do()
            except (sa.exc.OperationalError, KafkaException) as error:
                if getattr(getattr(error, "orig", None), "sqlstate", None) in COLLISIONS:
                    continue
                self._trouble = f"waits: {str(getattr(error, 'orig', error)).strip()}"
                log.warning("%s; the next try is in 1 s", self._trouble)
                if self._stopping():
                    raise
                time.sleep(1)
            else:
                self._trouble = None
                return done

    def _is_same_topic(self) -> bool:
        """Ask Kafka whether what was read is of the topic that was assigned: after the reading, so that it is true."""
        self._look_again = time.monotonic() + LOOK_EVERY
        topic = self._patiently(self._topic.id)
        return all(name.startswith(f"{topic}/") for name in self._logs.values())

    def _read(self, records: Sequence[Record]) -> tuple[list[Received], datetime | None]:
        """Decode, and bury what cannot be decoded; give the time of the oldest message as well."""
        batch, oldest, dead = [], None, 0
        for record in records:
            error = record.error()
            if error is not None:
                self._pass_or_raise(error, record)
                continue
            name = self._logs.get(record.partition())
            if name is None:  # taken away while it was read: its new owner reads it
                continue
            try:
                envelope = envelope_of(record)
            except DecodeError as reason:
                self._bury(record, reason)
                batch.append(Received(name, record.offset(), None))
                dead += 1
                continue
            batch.append(Received(name, record.offset(), envelope.data))
            if oldest is None or (envelope.time is not None and envelope.time < oldest):
                oldest = envelope.time
        if dead and self._producer.flush(30):
            raise CannotGoOnError(f"{dead} dead letters could not be written to {DEAD_LETTER_TOPIC} within 30 s")
        DEAD_LETTERS.inc(dead)
        return batch, oldest

    def _bury(self, record: Record, reason: DecodeError) -> None:
        """Write a record as it came, with a missing value, key or header still missing, to the dead letters."""
        place = f"{STREAM}/{record.partition()}/{record.offset()}"
        log.warning("dead letter: %s: %s", place, reason)
        headers = [*(record.headers() or ()), ("dead-letter-place", place), ("dead-letter-reason", str(reason))]

        def check(error: object, _: Message | None = None) -> None:
            if error is not None:
                raise CannotGoOnError(f"the message at {place} could not be written to {DEAD_LETTER_TOPIC}: {error}")

        try:
            self._producer.produce(DEAD_LETTER_TOPIC, record.value(), record.key(), headers=headers, on_delivery=check)
        except KafkaException as error:
            check(error)

    def _show_progress(self, batch: Sequence[Received], oldest: datetime | None) -> None:
        """Tell the metrics, and commit to Kafka what is stored, for the eyes of lag monitors only."""
        subjects = ("unreadable" if each.message is None else each.message.__contract__.subject for each in batch)
        for subject, count in Counter(subjects).items():
            MESSAGES.labels(subject).inc(count)
        if oldest is not None:
            LATENCY.observe((datetime.now(UTC) - oldest).total_seconds())
        following = {received.log: received.offset + 1 for received in batch}
        places = [
            TopicPartition(STREAM, number, following[name]) for number, name in self._logs.items() if name in following
        ]
        for place in places:
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            LAG.labels(place.partition).set(max(0, end - place.offset))
        self._consumer.commit(offsets=places, asynchronous=True)

    def _assigned(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        REBALANCES.inc()
        topic = self._patiently(self._topic.id)
        self._logs = {each.partition: f"{topic}/{each.partition}" for each in partitions}
        waiting = self._patiently(self._feed.store.logs_waiting)
        self._left = {
            name for name in waiting if not name.startswith(f"{topic}/")
        }  # of the topic before it was made again
        offsets = self._patiently(lambda: self._feed.store.offsets(self._logs.values()))
        consumer.assign([TopicPartition(STREAM, number, offsets[name]) for number, name in self._logs.items()])
        self._in_group = True
        log.info("ready: reads %s as a member of group feed", STREAM)

    def _revoked(self, consumer: KafkaConsumer, _: list[TopicPartition]) -> None:
        consumer.unassign()
        LAG.clear()
        self._logs, self._in_group = {}, False

    def _pass_or_raise(self, error: KafkaError, record: Record) -> None:
        """Raise for what does not mend itself; brokers that are away come back, topics appear."""
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as below
            self._find_place_again(record.partition())
        elif error.fatal() or not (error.retriable() or error.code() in _PASSING):
            raise KafkaException(error)
        else:
            log.warning("%s", error.str())

    def _find_place_again(self, number: int) -> None:
        """Go on in a topic that was made again; stop where messages were deleted before they were read."""
        name = self._logs.get(number)
        if name is None:  # taken away meanwhile
            return
        if self._is_same_topic():
            first, _ = self._consumer.get_watermark_offsets(TopicPartition(STREAM, number), timeout=10)
            at = self._feed.store.offsets({name})[name]
            if not self._skip_lost:
                raise CannotGoOnError(
                    f"partition {number} of {STREAM} no longer holds offset {at}, where the store goes on: messages "
                    f"were deleted before they were read. Start with --skip-lost to go on at offset {first}"
                )
            log.warning("partition %d goes on at offset %d; %d was lost", number, first, at)
            with self._feed.store.begin() as unit:
                unit.advance({name: first})
        self._assigned(self._consumer, self._consumer.assignment())


COLLISIONS = {"40001", "40P01"}
"""PostgreSQL's codes where two members changed the same rows: the later one starts again on what the first one left."""

_PASSING = (
    KafkaError._PARTITION_EOF,  # noqa: SLF001 - librdkafka's own codes begin with an underscore
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - the database was away for long; the group takes it in again
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
