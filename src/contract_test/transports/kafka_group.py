"""A share of a Kafka topic, as one member of a consumer group: others have the rest, and take over where we stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract_test.data.errors import NothingFoundError, UnreachableError
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.kafka_client import kafka_options
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
        self._place = f"{self._address.shown} {topic}"
        self._unread: dict[int, int] | None = None
        """Our partitions, and where each ended when we got it; None before the group has given us any, or none."""
        self._said: list[str] = []
        self._consumer: Any = None
        self.release: Callable[[], None] = lambda: None

    def messages(self) -> Iterator[Tapped | None]:
        """The messages of our partitions, to where these ended when we got them, or on and on while following.

        None stands for "nothing new just now". Raises UnreachableError, NothingFoundError where there is no such topic.
        """
        from confluent_kafka import KafkaError

        with self._connected() as consumer:
            consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked)
            try:
                while self._reading.follow or self._unread is None or self._unread:
                    record = consumer.poll(_WAIT)
                    if record is None:
                        yield None
                    elif (error := record.error()) is not None:
                        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its name in the package's documentation
                            self._read_to(record.partition(), None)
                        elif error.fatal() or not error.retriable():
                            raise self._unreachable(error.str(), "Check that this user may use topic and group.")
                    else:
                        if record.value() is None:
                            self._reading.note(f"the topic {self._topic} holds deletions: they were left out")
                        else:
                            yield _tapped(record)
                        self._read_to(record.partition(), record.offset())
            finally:
                self.release()

    def commit(self, ends: Mapping[str, int]) -> bool:
        """Tell the group that parts, `TOPIC/PARTITION`, were read to before these offsets.

        False where it does not take that: others have the partitions by now, and read again what we had not committed.
        """
        from confluent_kafka import KafkaException, TopicPartition

        offsets = [TopicPartition(self._topic, int(part.rpartition("/")[2]), end) for part, end in ends.items()]
        try:
            taken = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._reading.note(f"the group {self._group} did not take what was read: {error.args[0].name()}")
            return False
        return all(each.error is None for each in taken)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        from confluent_kafka import Consumer, KafkaException

        options = {
            **kafka_options(self._address),
            "bootstrap.servers": ",".join(self._address.hosts),
            "group.id": self._group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
            "error_cb": lambda error: self._said.append(error.str()),
        }
        try:
            consumer = self._consumer = Consumer(options)
        except (KafkaException, ValueError, TypeError) as error:
            raise self._unreachable(error, "Check security.protocol, sasl.* and ssl.* in the URL's query.") from None
        try:
            known = consumer.list_topics(self._topic, timeout=_PATIENCE).topics[self._topic]
            if known.error is not None:
                raise NothingFoundError("there is no such topic", place=self._place, advice="Check the address.")
            yield consumer
        except KafkaException as error:
            said = self._said[-1] if self._said else error.args[0].str()
            raise self._unreachable(said, "Check the address, and that this user may read the topic.") from None
        finally:
            consumer.close()

    def _assigned(self, consumer: Any, partitions: list[Any]) -> None:
        ends = [consumer.get_watermark_offsets(each, timeout=_PATIENCE)[1] for each in partitions]
        self._unread = {each.partition: end for each, end in zip(partitions, ends, strict=True) if end > 0}

    def _revoked(self, consumer: Any, partitions: list[Any]) -> None:
        del consumer, partitions
        self.release()
        self._unread = None

    def _read_to(self, partition: int, offset: int | None) -> None:
        if self._unread and (offset is None or offset + 1 >= self._unread.get(partition, 0)):
            self._unread.pop(partition, None)

    def _unreachable(self, error: object, advice: str) -> UnreachableError:
        told = self._address.hide(error, *map(str, kafka_options(self._address).values()))
        return UnreachableError(f"Kafka did not answer: {told}", place=self._place, advice=advice)


def _tapped(record: Any) -> Tapped:
    offset: int = record.offset()
    seen = {"topic": record.topic(), "partition": record.partition(), "offset": offset}
    return Tapped(
        Wire(record.value(), record.key(), record.headers() or ()), seen, (str(record.partition()), offset + 1)
    )
