"""A share of a Kafka topic, as one member of a consumer group: others have the rest, and take over where we stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.kafka_client import find_topics, librdkafka_options, unreachable
from contract_test.transports.urls import Address
from envelopes import Wire

_WAIT = 0.2  # seconds
_PATIENCE = 15.0


class Member:
    """Reads as a member of a group. `release` is called before partitions are given up: the last time to commit.

    The client is librdkafka's: it calls back in the thread that polls, between two messages.
    """

    def __init__(self, url: str, topic: str, group: str, reading: Reading) -> None:
        self._address, self._topic, self._group, self._reading = Address.of(url), topic, group, reading
        self._unread: dict[tuple[str, int], int] | None = None
        """Our partitions, and where each ended when we got it; None before the group has given us any, or none."""
        self._topics: list[str] = []
        self._consumer: Any = None
        self.release: Callable[[], None] = lambda: None

    def messages(self) -> Iterator[Tapped | None]:
        """Yield the messages of our partitions, to where these ended when we got them, or on and on while following.

        None stands for "nothing new just now". Raises UnreachableError, NothingFoundError where there is no such topic.
        """
        from confluent_kafka import KafkaError

        with self._connected() as consumer:
            consumer.subscribe(self._topics, on_assign=self._assigned, on_revoke=self._revoked)
            try:
                while self._reading.follow or self._unread is None or self._unread:
                    record = consumer.poll(_WAIT)
                    if record is None:
                        yield None
                    elif (error := record.error()) is not None:
                        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name in the package's documentation
                            self._read_to(record, None)
                        elif error.fatal() or not error.retriable():
                            raise unreachable(self._address, self._topic, error.str())
                    else:
                        if record.value() is None and not record.headers():
                            self._reading.note(f"the topic {record.topic()} holds deletions: they were left out")
                        else:
                            yield _tapped(record)
                        self._read_to(record, record.offset())
            finally:
                self.release()

    def commit(self, ends: Mapping[str, int]) -> bool:
        """Commit for the group that parts, `TOPIC/PARTITION`, were read to before these offsets.

        False where it does not take that: others have the partitions by now, and read again what we had not committed.
        """
        from confluent_kafka import KafkaException, TopicPartition

        places = [(*part.rpartition("/"), end) for part, end in ends.items()]
        offsets = [TopicPartition(topic, int(partition), end) for topic, _, partition, end in places]
        try:
            taken = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._reading.note(f"the group {self._group} did not take what was read: {error.args[0].name()}")
            return False
        return all(each.error is None for each in taken)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        from confluent_kafka import Consumer, KafkaException

        self._topics = list(find_topics(self._address, self._topic, self._reading.left_out))
        try:
            consumer = self._consumer = Consumer(
                {
                    **librdkafka_options(self._address),
                    "group.id": self._group,
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                    "enable.partition.eof": True,
                }
            )
        except KafkaException as error:
            raise unreachable(self._address, self._topic, error) from None
        try:
            yield consumer
        except KafkaException as error:
            raise unreachable(self._address, self._topic, error) from None
        finally:
            consumer.close()

    def _assigned(self, consumer: Any, partitions: list[Any]) -> None:
        ends = [consumer.get_watermark_offsets(each, timeout=_PATIENCE)[1] for each in partitions]
        self._unread = {
            (each.topic, each.partition): end for each, end in zip(partitions, ends, strict=True) if end > 0
        }

    def _revoked(self, consumer: Any, partitions: list[Any]) -> None:
        del consumer, partitions
        self.release()
        self._unread = None

    def _read_to(self, record: Any, offset: int | None) -> None:
        place = record.topic(), record.partition()
        if self._unread and (offset is None or offset + 1 >= self._unread.get(place, 0)):
            self._unread.pop(place, None)


def _tapped(record: Any) -> Tapped:
    offset: int = record.offset()
    seen = {"topic": record.topic(), "partition": record.partition(), "offset": offset}
    return Tapped(
        Wire(record.value(), record.key(), record.headers() or ()), seen, (str(record.partition()), offset + 1)
    )
